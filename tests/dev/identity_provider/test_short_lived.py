from tests.support.determinism import NOW, SeededEntropy
from vestibule.dev.identity_provider.short_lived import ShortLived


def test_value_is_found_until_its_time_is_over(entropy: SeededEntropy) -> None:
    kept = ShortLived[str](life=10, entropy=entropy)
    name = kept.add("value", now=NOW)
    assert kept.get(name, now=NOW + 9) == "value"
    assert kept.get(name, now=NOW + 10) is None


def test_value_is_taken_once(entropy: SeededEntropy) -> None:
    kept = ShortLived[str](life=10, entropy=entropy)
    name = kept.add("value", now=NOW)
    assert kept.take(name, now=NOW) == "value"
    assert kept.take(name, now=NOW) is None


def test_unknown_name_finds_nothing(entropy: SeededEntropy) -> None:
    assert ShortLived[str](life=10, entropy=entropy).take("unknown", now=NOW) is None


def test_names_differ(entropy: SeededEntropy) -> None:
    kept = ShortLived[str](life=10, entropy=entropy)
    assert len({kept.add("same", now=NOW) for _ in range(100)}) == 100


def test_oldest_value_makes_room(entropy: SeededEntropy) -> None:
    kept = ShortLived[int](life=10, entropy=entropy)
    names = [kept.add(number, now=NOW) for number in range(1001)]
    assert kept.get(names[0], now=NOW) is None
    assert kept.get(names[1], now=NOW) == 1
    assert kept.get(names[1000], now=NOW) == 1000
