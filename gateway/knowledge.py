"""What the gateway knows of models: what they can do, and what they cost."""

from dataclasses import dataclass, field
from pathlib import Path

from gateway.catalogue import Catalogue
from gateway.models_file import read_models
from gateway.pricing import Prices


@dataclass(frozen=True)
class Knowledge:
    """Models and prices; without any, models are tried as they come, and cost what is published."""

    catalogue: Catalogue = field(default_factory=lambda: Catalogue(()))
    prices: Prices = field(default_factory=Prices)


def read_knowledge(own: Path | None = None) -> Knowledge:
    """What we know, and what a person's own file says. UsageError where that is broken."""
    found = read_models(own)
    return Knowledge(Catalogue(found.model), Prices(found.price))
