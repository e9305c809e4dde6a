# SPDX-License-Identifier: Apache-2.0
"""`python -m maas models ...`: each verb calls `maas.models` and prints what it gives."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from maas import archive, models
from maas.errors import InvalidArgumentError
from maas.publication import ModelVersion

OK, FOUND = 0, 1
_Verb = Callable[[argparse.Namespace], int]


def add_parsers(models_parser: argparse.ArgumentParser, new: Callable[..., Any]) -> None:
    """The verbs of `models`, below its parser; `new` makes one."""
    common = new(add_help=False)
    common.add_argument("--store", metavar="FOLDER", help="default: MAAS_HOME, or ~/.maas")
    common.add_argument("-o", dest="output", choices=["text", "json"], default="text")
    common.add_argument("--debug", action="store_true", help="show tracebacks")
    verbs = models_parser.add_subparsers(dest="models_verb", metavar="VERB", required=True)

    def verb(name: str, run: _Verb, about: str, *arguments: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = verbs.add_parser(name, parents=[common], help=about)
        for argument in arguments:
            made.add_argument(argument.lower(), metavar=argument)
        made.set_defaults(command=run)
        return made

    _add_options(verb("add", _add, "publish a file or folder as the next version", "NAME", "PATH"))
    listed = verb("list", _list, "models, or the versions of one")
    listed.add_argument("name", nargs="?", metavar="NAME")
    verb("show", _show, "all of a model (NAME) or version (NAME:V, NAME@ALIAS)", "REFERENCE")
    found = verb("search", _search, "versions for which an expression holds", "EXPRESSION")
    found.add_argument("--limit", type=int, default=0, help="at most so many (default: all)")
    verb("diff", _diff, "what two versions differ in", "FIRST", "SECOND")
    moved = verb("alias", _alias, "move an alias to a version", "NAME", "ALIAS", "VERSION")
    promoted = verb("promote", _promote, "make a version the champion", "NAME", "VERSION")
    back = verb("rollback", _rollback, "move an alias back to where it was before", "NAME")
    back.add_argument("--alias", default=models.CHAMPION, help="default: champion")
    for parser in (moved, promoted, back):
        parser.add_argument(
            "--expect", type=int, metavar="V", help="only if it is at V now (0: nowhere)"
        )
    verb("delete", _delete, "delete one version: NAME:V", "REFERENCE")
    verb("export", _export, "write a version to a file", "REFERENCE", "FILE")
    imported = verb("import", _import, "publish what was exported", "FILE")
    imported.add_argument("--name", help="under another name")
    checked = verb("fsck", _fsck, "check every byte, record and alias")
    checked.add_argument("--quick", action="store_true", help="read only what has changed")
    collected = verb("gc", _gc, "remove bytes that no version needs")
    collected.add_argument("--dry-run", action="store_true", help="only say what would go")
    collected.add_argument(
        "--grace", type=float, default=24.0, metavar="HOURS", help="spare what is younger (24)"
    )
    verb("recover", _recover, "make the catalogue again from what is on disk")
    verb("backup", _backup, "copy the store into another folder", "FOLDER")
    logged = verb("log", _log, "the audit: every change, who and when")
    logged.add_argument("name", nargs="?", default="", metavar="NAME")
    logged.add_argument("--verify", action="store_true", help="follow the hash chain")


def _add_options(parser: argparse.ArgumentParser) -> None:
    def several(flag: str, metavar: str, about: str) -> None:
        parser.add_argument(flag, action="append", default=[], metavar=metavar, help=about)

    parser.add_argument("--runtime", help="what runs it, for a file that is not loaded here")
    parser.add_argument("--alias", help="move this alias to the new version")
    parser.add_argument("--sample", metavar="FILE", help="JSON: inputs, and the outputs expected")
    parser.add_argument("--description", default="")
    several("--tag", "KEY=VALUE", "may be given several times")
    several("--metric", "DATA:NAME=VALUE", "may be given several times")
    several("--parent", "NAME:V", "a version that it was made from")
    several("--step", "TEXT", "a step of conversion or optimisation")
    parser.add_argument("--data-digest", metavar="DIGEST", help="of the data it was trained on")
    parser.add_argument("--code-revision", metavar="REVISION", help="of the code that trained it")
    parser.add_argument("--environment", metavar="FILE", help="lock file, kept with the version")


def _add(parsed: argparse.Namespace) -> int:
    lineage = {
        "parents": parsed.parent,
        "steps": parsed.step,
        "data_digest": parsed.data_digest,
        "code_revision": parsed.code_revision,
        "environment": parsed.environment,
    }
    made = models.add(
        parsed.name,
        parsed.path,
        runtime=parsed.runtime,
        alias=parsed.alias,
        tags=dict(_pair("--tag", text) for text in parsed.tag),
        metrics={
            key: _number("--metric", value)
            for key, value in (_pair("--metric", text) for text in parsed.metric)
        },
        sample=parsed.sample,
        description=parsed.description,
        lineage={key: value for key, value in lineage.items() if value},
        store=parsed.store,
    )
    return _print(parsed, asdict(made), lambda: [_line(made)])


def _list(parsed: argparse.Namespace) -> int:
    if parsed.name is not None:
        rows = [*models.list(parsed.name, store=parsed.store)]
        return _print(parsed, {"versions": [asdict(r) for r in rows]}, lambda: map(_line, rows))
    infos = [*models.models(store=parsed.store)]

    def lines() -> Iterable[str]:
        for info in infos:
            aliases = " ".join(f"@{alias}={v}" for alias, v in info.aliases.items())
            yield f"{info.name:24} {info.versions:5} versions, latest {info.latest}  {aliases}"

    return _print(parsed, {"models": [asdict(info) for info in infos]}, lines)


def _show(parsed: argparse.Namespace) -> int:
    if ":" in parsed.reference or "@" in parsed.reference:
        shown = models.details(parsed.reference, store=parsed.store)
    else:
        shown = asdict(models.model(parsed.reference, store=parsed.store))
        versions = models.list(parsed.reference, store=parsed.store)
        shown["versions"] = [asdict(version) for version in versions]
        shown["history"] = [*models.history(parsed.reference, store=parsed.store)]
    return _print(parsed, shown, lambda: _members(shown))


def _search(parsed: argparse.Namespace) -> int:
    rows = []
    for row in models.search(parsed.expression, store=parsed.store):
        rows.append(row)
        if len(rows) == parsed.limit:
            break
    return _print(parsed, {"versions": [asdict(row) for row in rows]}, lambda: map(_line, rows))


def _diff(parsed: argparse.Namespace) -> int:
    found = models.diff(parsed.first, parsed.second, store=parsed.store)
    return _print(parsed, found, lambda: _members(found))


def _alias(parsed: argparse.Namespace) -> int:
    return _print_move(
        parsed,
        models.alias(
            parsed.name,
            parsed.alias,
            _version(parsed.version),
            parsed.expect,
            store=parsed.store,
        ),
    )


def _promote(parsed: argparse.Namespace) -> int:
    version = _version(parsed.version)
    return _print_move(
        parsed, models.promote(parsed.name, version, parsed.expect, store=parsed.store)
    )


def _rollback(parsed: argparse.Namespace) -> int:
    return _print_move(
        parsed, models.rollback(parsed.name, parsed.alias, parsed.expect, store=parsed.store)
    )


def _delete(parsed: argparse.Namespace) -> int:
    name, _, version = parsed.reference.partition(":")
    if not version:
        raise InvalidArgumentError(f"name the version to delete: {name}:VERSION")
    models.delete(name, _version(version), store=parsed.store)
    return _print(
        parsed,
        {"name": name, "version": int(version), "state": "DELETED"},
        lambda: [f"{name}:{version} is deleted"],
    )


def _export(parsed: argparse.Namespace) -> int:
    made = archive.export(parsed.reference, parsed.file, store=parsed.store)
    text = f"{made['name']}:{made['version']} is in {parsed.file} ({made['bytes']} bytes)"
    return _print(parsed, made, lambda: [text])


def _import(parsed: argparse.Namespace) -> int:
    made = archive.import_file(parsed.file, name=parsed.name, store=parsed.store)
    return _print(parsed, asdict(made), lambda: [_line(made)])


def _fsck(parsed: argparse.Namespace) -> int:
    report = models.fsck(quick=parsed.quick, store=parsed.store)

    def lines() -> Iterable[str]:
        for found in report["findings"]:
            place = f"{found['name']}:{found['version']} " if found["name"] else ""
            mended = " (repaired)" if found["repaired"] else ""
            yield f"{found['kind']}: {place}{found['message']}{mended}"
        yield (
            f"{'well' if report['well'] else 'DAMAGED'}: {report['versions']} versions, "
            f"{report['blobs']} blobs, {report['bytes']} bytes"
        )

    _print(parsed, report, lines)
    return OK if report["well"] else FOUND


def _gc(parsed: argparse.Namespace) -> int:
    report = models.gc(grace_s=parsed.grace * 3600, dry_run=parsed.dry_run, store=parsed.store)
    report["dry_run"] = parsed.dry_run
    return _print(parsed, report, lambda: _members(report))


def _recover(parsed: argparse.Namespace) -> int:
    report = models.recover(store=parsed.store)
    return _print(parsed, report, lambda: _members(report))


def _backup(parsed: argparse.Namespace) -> int:
    report = models.backup(parsed.folder, store=parsed.store)
    _print(parsed, report, lambda: _members(report))
    return FOUND if report["problems"] else OK


def _log(parsed: argparse.Namespace) -> int:
    if parsed.verify:
        rows, head = models.verify_log(store=parsed.store)
        return _print(
            parsed,
            {"rows": rows, "head": head, "well": True},
            lambda: [f"the chain of {rows} rows is whole; its head is {head}"],
        )
    entries = [*models.log(parsed.name, store=parsed.store)]
    return _print(parsed, {"entries": entries}, lambda: map(_audit_line, entries))


def _print(parsed: argparse.Namespace, made: Any, lines: Callable[[], Iterable[str]]) -> int:
    if parsed.output == "json":
        sys.stdout.write(json.dumps(made, indent=2) + "\n")
    else:
        for line in lines():
            sys.stdout.write(line + "\n")
    return OK


def _print_move(parsed: argparse.Namespace, move: Mapping[str, Any]) -> int:
    before = f"version {move['previous']}" if move["previous"] else "no version"
    text = f"{move['name']}@{move['alias']} is at version {move['version']} (before: {before})"
    return _print(parsed, dict(move), lambda: [text])


def _line(row: ModelVersion) -> str:
    marks = "".join(f" @{alias}" for alias in row.aliases)
    state = "DAMAGED" if row.damage else row.state
    why = row.damage or row.reason
    made = f"{row.name}:{row.version}  {state}  sha256:{row.digest[:12]}  {_time(row.created_ms)}"
    return f"{made}{marks}" + (f"  {why}" if why else "")


def _audit_line(row: Mapping[str, Any]) -> str:
    what = f"{row['name']}:{row['version']}" if row["version"] else row["name"]
    subject = f" {row['subject']}" if row["subject"] else ""
    when = f"{row['sequence']:6}  {_time(row['at_ms'])}"
    return f"{when}  {row['who']}  {row['action']}  {what}{subject}"


def _members(made: Mapping[str, Any]) -> Iterable[str]:
    for key, value in made.items():
        if value not in ("", None, [], {}):
            yield f"{key:14} {value if isinstance(value, str) else json.dumps(value)}"


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _pair(flag: str, text: str) -> tuple[str, str]:
    key, mark, value = text.partition("=")
    if not mark or not key:
        raise InvalidArgumentError(f"{flag} {text!r} is not KEY=VALUE")
    return key, value


def _number(flag: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidArgumentError(f"{flag}: {text!r} is not a number") from None


def _version(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise InvalidArgumentError(f"version {text!r} is not a whole number from 1 on")
    return int(text)
