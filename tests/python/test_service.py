# SPDX-License-Identifier: Apache-2.0
import types
from typing import Any

import pytest

import maas
from maas.service import collect, served_names


@maas.endpoint("/echo")
def echo(text: str) -> str:
    return text


@maas.endpoint("/shout")
def shout(text: str) -> str:
    return text.upper()


@maas.service(name="iris")
class Iris:
    made = 0

    def setup(self) -> None:
        type(self).made += 1

    @maas.endpoint("/predict")
    def predict(self, n: int) -> int:
        return n + self.made

    @maas.endpoint("/other")
    async def other(self, n: int) -> int:
        return n


def paths(target: object) -> list[str]:
    return [spec.path for spec in collect(target).endpoints]


def test_a_function_is_a_service_of_one_endpoint() -> None:
    assert paths(echo) == ["/echo"]


def test_a_list_serves_all_of_it() -> None:
    assert paths([shout, echo]) == ["/shout", "/echo"]


def test_a_class_is_made_and_set_up_once() -> None:
    first, again = collect(Iris), collect(Iris)
    assert Iris.made == 1
    assert [spec.path for spec in first.endpoints] == ["/predict", "/other"]
    assert first.name == "iris"
    assert first.endpoints[0].function(1) == again.endpoints[0].function(1) == 2


def test_an_instance_is_served_as_it_is() -> None:
    class Base:
        def __init__(self, n: int) -> None:
            self.n = n

    @maas.service
    class Own(Base):
        @maas.endpoint("/n")
        def get(self) -> int:
            return self.n

    assert collect(Own(5)).endpoints[0].function() == 5
    assert collect(Own(5)).name == "Own"
    with pytest.raises(maas.TargetError, match=r"cannot be made without arguments.*serve an inst"):
        collect(Own)


def test_endpoints_of_a_base_class_are_served() -> None:
    @maas.service
    class Derived(Iris):
        @maas.endpoint("/more")
        def more(self, n: int) -> int:
            return n

    assert paths(Derived) == ["/predict", "/other", "/more"]


def test_a_module_serves_what_it_defines_in_that_order(double: maas.Model) -> None:
    module = types.ModuleType("app")
    vars(module).update(
        shout=shout, helper=len, _hidden=echo, net=double, Iris=Iris, again=shout, number=3
    )
    found = collect(module)
    assert [spec.path for spec in found.endpoints] == ["/shout", "/predict", "/other"]
    assert found.models == (double,)
    assert found.name == "iris"
    assert served_names(vars(module)) == ["shout", "net", "Iris", "again"]


def test_an_instance_beside_its_class_is_served_once() -> None:
    assert paths({"Iris": Iris, "iris": Iris()}) == ["/predict", "/other"]


def test_a_model_alone_is_a_target(double: maas.Model) -> None:
    assert collect(double).models == (double,)


def test_models_of_endpoints_and_of_instances_are_served_too(double: maas.Model) -> None:
    @maas.service
    class Holder:
        def setup(self) -> None:
            self.net = double

        @maas.endpoint("/h")
        def h(self, n: int) -> int:
            return n

    assert collect(Holder).models == (double,)


def test_a_service_needs_no_decorator(double: maas.Model) -> None:
    def plain(n: int) -> int:
        return n

    service = maas.Service(
        endpoints=[maas.EndpointSpec("/plain", plain, max_batch_size=1), echo], models=[double]
    )
    assert paths(service) == ["/plain", "/echo"]
    assert "/plain" in repr(service)
    with pytest.raises(maas.TargetError, match="plain is no endpoint; decorate it"):
        maas.Service(endpoints=[plain])


def test_a_bound_method_is_an_endpoint_of_its_instance() -> None:
    assert paths(maas.Service(endpoints=[Iris().predict])) == ["/predict"]


def test_two_endpoints_on_one_path_are_named_both() -> None:
    @maas.endpoint("/echo")
    def other(text: str) -> str:
        return text

    words = r"two endpoints have the path '/echo': echo \(.*test_service\.py:\d+\) and .*other"
    with pytest.raises(maas.AlreadyExistsError, match=words):
        collect([echo, other])
    assert paths([echo, echo]) == ["/echo"]


def test_two_models_of_one_name_are_refused(double: maas.Model, models: Any) -> None:
    other = maas.load(str(models / "triple.pt"), name="double")
    with pytest.raises(maas.AlreadyExistsError, match="two models have the name 'double'"):
        collect([double, other])


class Plain:
    pass


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (3, "3 cannot be served; decorate a function"),
        (Plain, "class Plain is no service; decorate it with @maas.service"),
        (Plain(), "cannot be served"),
        (len, "len cannot be served"),
        ([], "empty list"),
        ({}, "nothing to serve here"),
        (types.ModuleType("empty"), "module empty has nothing to serve"),
    ],
)
def test_what_cannot_be_served_is_told_with_a_remedy(target: Any, words: str) -> None:
    with pytest.raises(maas.TargetError, match=words):
        collect(target)


def test_the_decorator_wants_a_class_with_an_endpoint() -> None:
    with pytest.raises(maas.InvalidArgumentError, match="decorates a class, and echo is none"):
        maas.service(echo)  # type: ignore[call-overload]
    with pytest.raises(maas.InvalidArgumentError, match="service Plain has nothing to serve"):
        maas.service(Plain)
