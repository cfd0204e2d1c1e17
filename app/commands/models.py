"""``soundstage models list``."""

import json
from collections.abc import Iterable

from app.models import tell_unlisted
from app.models_file import read_knowledge
from app.providers import set_up
from app.settings import Settings
from domain.base import Value
from domain.catalogue import ModelInfo
from domain.errors import SoundstageError, UsageError
from domain.patterns import is_family
from domain.text import one_line
from gateway.pricing import Prices
from gateway.published import PUBLISHED_PROVIDERS

ID_WIDTH = 44


class ListedPrice(Value):
    """USD for a million tokens, as decimal numbers. Calls with more input than ``dearer_above`` tokens cost more."""

    input: str
    cached_input: str
    cache_write: str
    output: str
    dearer_above: int | None = None


class ListedModel(Value):
    """A model or a family, whether a provider at hand offers it, and its price; None where no single one is known."""

    info: ModelInfo
    offered: bool
    price: ListedPrice | None

    def fields(self) -> dict[str, object]:
        """All of it in one level, for JSON."""
        own = self.model_dump(mode="json", exclude={"info"})
        return {**self.info.model_dump(mode="json"), **own}


class Offer(Value):
    """What a provider lists, and whether it is on this machine."""

    ids: frozenset[str]
    local: bool


async def list_models(settings: Settings, provider: str | None, as_json: bool) -> None:
    """Prints what the catalogue knows and what the providers at hand offer. UsageError for an unknown provider."""
    knowledge = read_knowledge(settings)
    catalogue, prices = knowledge.catalogue, knowledge.prices
    offered = await _offered(settings)
    known = {entry.provider for entry in catalogue.all()} | set(offered)
    if provider is not None and provider not in known:
        raise UsageError(f"No model of {provider!r} is known. Name one of these: {', '.join(sorted(known))}.")
    nothing = Offer(ids=frozenset(), local=False)
    found = [(entry, entry.id in offered.get(entry.provider, nothing).ids) for entry in catalogue.all()]
    listed = {(entry.provider, entry.id) for entry, _ in found}
    for name, offer in offered.items():
        found += [(catalogue.find(name, model), True) for model in sorted(offer.ids) if (name, model) not in listed]
    found = [pair for pair in found if provider in {None, pair[0].provider}]
    models = [
        ListedModel(info=info, offered=there, price=_price(prices, info, offered.get(info.provider, nothing).local))
        for info, there in sorted(found, key=lambda pair: pair[0].provider)
    ]
    if as_json:
        for model in models:
            print(json.dumps(model.fields()))
    else:
        _print_table(models)


async def _offered(settings: Settings) -> dict[str, Offer]:
    """What each provider offers that is set up and answers. Who does not answer is named."""
    found: dict[str, Offer] = {}
    for name, upstream in (await set_up(settings)).items():
        try:
            found[name] = Offer(ids=frozenset(await upstream.first.models()), local=upstream.local)
        except SoundstageError as error:
            tell_unlisted(name, error)
        finally:
            await upstream.close()
    return found


def _price(prices: Prices, info: ModelInfo, local: bool) -> ListedPrice | None:
    tariff = prices.tariff(info.provider, info.id, local)
    if tariff is None:
        return None
    rates = {key: f"{value.normalize():f}" for key, value in tariff.base}
    return ListedPrice(**rates, dearer_above=tariff.steps[0][0] if tariff.steps else None)


def _print_table(models: Iterable[ListedModel]) -> None:
    print(f"{'provider':<19}{'model':<{ID_WIDTH}}{'context':>11}{'output':>9}  {'$ in/out':<12}can")
    for model in models:
        info = model.info
        name = one_line(info.id, ID_WIDTH - 4) + (" ✓" if model.offered else "")
        can = [capability.value for capability in sorted(info.capabilities)] if info.known else ["not known"]
        roles = f" for {', '.join(info.roles)}" if info.roles else ""
        print(
            f"{info.provider:<19}{name:<{ID_WIDTH}}{info.context_tokens:>11,}{info.output_tokens:>9,}  "
            f"{_cost(model):<12}{', '.join(can) or 'text'}; strength {info.strength}{roles}"
            f"{'; the default' if info.default else ''}"
        )
    print("✓ is offered now. Prices are USD for a million tokens; + is more for long input, ? is not known.")


def _cost(model: ListedModel) -> str:
    price = model.price
    if price is None:
        return "by model" if is_family(model.info.id) and model.info.provider in PUBLISHED_PROVIDERS else "?"
    if price.input == price.output == "0":
        return "free"
    return f"{price.input}/{price.output}{'+' if price.dearer_above is not None else ''}"
