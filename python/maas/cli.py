# SPDX-License-Identifier: Apache-2.0
"""The command line, `python -m maas`: verbs that call the public face and nothing else.

Exit codes: 0 done, 1 an error of maas itself, 2 wrong use or a target that cannot be served.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from maas import config, engine, logs, models_cli
from maas.errors import ConfigError, Error, InvalidArgumentError, TargetError
from maas.types import closest

OK, FAILED, WRONG_USE = 0, 1, 2


class _UsageError(Exception):
    """Wrong use of the command line, in one sentence."""


class _Parser(argparse.ArgumentParser):
    """argparse that says what is wrong in one sentence instead of printing the usage."""

    def __init__(self, **about: Any) -> None:
        super().__init__(allow_abbrev=False, **about)

    def error(self, message: str) -> NoReturn:
        raise _UsageError(f"{message[:1].lower()}{message[1:]}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    try:
        return _run(words)
    except (_UsageError, Error) as error:
        if debug:
            traceback.print_exc()
        sys.stderr.write(f"maas: {error}\n")
        return WRONG_USE
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if debug:
            traceback.print_exc()
        sys.stderr.write(f"maas: {type(error).__name__}: {error} (--debug shows the traceback)\n")
        return FAILED


def _run(words: list[str]) -> int:
    parser, verbs = _parsers()
    _check_verb(words, verbs)
    parsed, unknown = parser.parse_known_args(words)
    if unknown:
        known = [option for verb in verbs.values() for option in verb._option_string_actions]
        option = unknown[0].partition("=")[0]
        kind = "option" if option.startswith("-") else "argument"
        raise _UsageError(f"unknown {kind} {option}{closest(option, known) or '; see --help'}")
    code: int = parsed.command(parsed)
    return code


def _check_verb(words: list[str], verbs: dict[str, _Parser]) -> None:
    if not words:
        raise _UsageError(
            "name a command: serve TARGET, models VERB, config show, conformance URL; see --help"
        )
    verb = words[0]
    if not verb.startswith("-") and verb not in verbs:
        raise _UsageError(f"unknown command {verb!r}{closest(verb, list(verbs)) or '; see --help'}")
    if verb == "config" and not {"show", "-h", "--help"} & set(words[1:2]):
        raise _UsageError("config has one command: config show")


def _parsers() -> tuple[_Parser, dict[str, _Parser]]:
    parser = _Parser(prog="maas", description="Serves trained models.", epilog=_EPILOG)
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = parser.add_subparsers(dest="verb", metavar="COMMAND", required=True)
    settings = _settings_parser()
    serve = commands.add_parser("serve", parents=[settings], help="serve a target", epilog=_EPILOG)
    serve.add_argument(
        "target",
        nargs="?",
        metavar="TARGET",
        help="file.py[:name], module:name, a .pt file, or NAME[:VERSION|@ALIAS] of the registry",
    )
    serve.add_argument("--reload", action="store_true", help="serve again what has changed")
    serve.set_defaults(command=_serve)
    serve.add_argument("--store", metavar="FOLDER", help="of models (default: MAAS_HOME, ~/.maas)")
    registry = commands.add_parser("models", help="versions of models, and what serves")
    models_cli.add_parsers(registry, _Parser)
    shown = commands.add_parser("config", parents=[settings], help="show the settings")
    shown.add_argument("what", choices=["show"], help="every setting, and where it came from")
    shown.add_argument("-o", dest="output", choices=["text", "json"], default="text")
    shown.set_defaults(command=_config_show)
    suite = commands.add_parser("conformance", help="examine a server of the protocol")
    suite.add_argument("url", metavar="URL", help="where it answers: http://127.0.0.1:8000")
    suite.add_argument("--model", required=True, help="a model of it")
    suite.add_argument("--request", metavar="FILE", help="JSON of a request that it answers")
    suite.add_argument("-o", dest="output", choices=["text", "json"], default="text")
    suite.set_defaults(command=_conformance)
    known = {"serve": serve, "models": registry, "config": shown, "conformance": suite}
    return parser, known


def _settings_parser() -> _Parser:
    """One flag for each setting: the fields of Settings are the only list of them."""
    parser = _Parser(add_help=False)
    parser.add_argument("--config", metavar="FILE", help="file of settings (default: maas.yaml)")
    parser.add_argument("--debug", action="store_true", help="log more; show tracebacks")
    for name, item in config.SCALARS.items():
        parser.add_argument(
            _flag(name),
            dest=name,
            metavar=name.upper(),
            help=f"{item.metadata['help']} (default: {item.default})",
        )
    return parser


class _Version(argparse.Action):
    """Prints the version; the core, which knows it, is loaded only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        import maas

        sys.stdout.write(f"maas {maas.__version__}\n")
        parser.exit()


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _loaded(parsed: argparse.Namespace) -> config.Config:
    flags: dict[str, Any] = {}
    for name, item in config.SCALARS.items():
        if (value := getattr(parsed, name)) is not None:
            flags[name] = _typed(value, type(item.default))
    try:
        return config.load(flags, file=parsed.config)
    except ConfigError as error:
        raise ConfigError(error.message.removeprefix("flag: ")) from None


def _typed(text: str, kind: type) -> Any:
    try:
        return kind(text)
    except ValueError:
        return text  # the settings say what is wrong with it


def _serve(parsed: argparse.Namespace) -> int:
    from maas import model, reload, runner, targets
    from maas.server import Server
    from maas.service import Service

    if parsed.store:
        os.environ["MAAS_HOME"] = parsed.store
    settings = _loaded(parsed).settings
    if parsed.target is None and not settings.models:
        raise TargetError(
            "name what to serve: file.py[:name], module:name, a .pt file, or `models:` in maas.yaml"
        )
    logs.configure(settings.log_format, debug=parsed.debug)
    engine.configure(settings)
    named = Service(
        models=[
            model.load(**{item: getattr(entry, item) for item in entry.__slots__})
            for entry in settings.models
        ]
    )

    def publish(service: Service) -> None:
        server.publish([service, named])

    loaded = targets.load(parsed.target) if parsed.target else Service()
    server = Server(name=loaded.name, settings=settings)
    publish(loaded)
    if parsed.reload and parsed.target:
        reload.Reloader(parsed.target, publish).start()
    runner.run(server)
    return OK


def _conformance(parsed: argparse.Namespace) -> int:
    from maas import conformance

    given = None
    if parsed.request:
        try:
            given = json.loads(Path(parsed.request).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidArgumentError(f"--request {parsed.request}: {error}") from None
    outcomes = conformance.run(parsed.url, parsed.model, request=given)
    if parsed.output == "json":
        sys.stdout.write(json.dumps([asdict(item) for item in outcomes], indent=2) + "\n")
    else:
        for item in outcomes:
            sys.stdout.write(f"{item.verdict:8} {item.case}\n")
            if item.reason:
                sys.stdout.write(f"         {item.reason}\n")
        counts = Counter(item.verdict for item in outcomes)
        told = ", ".join(f"{counts[word]} {word}" for word in ("passed", "failed", "skipped"))
        sys.stdout.write(told + "\n")
    return FAILED if any(item.verdict == "failed" for item in outcomes) else OK


def _config_show(parsed: argparse.Namespace) -> int:
    loaded = _loaded(parsed)
    values = asdict(loaded.settings)
    if parsed.output == "json":
        rows = {name: {"value": values[name], "from": loaded.where[name]} for name in values}
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
        return OK
    for name, value in values.items():
        shown = value
        if name == "models":
            shown = ", ".join(entry["path"] for entry in value) or "none"
        sys.stdout.write(f"{name:18} {shown!s:12} {loaded.where[name]}\n")
    return OK


_EPILOG = (
    "Exit codes: 0 done, 1 an error of maas itself or cases of conformance that failed, "
    "2 wrong use or nothing to serve."
)
