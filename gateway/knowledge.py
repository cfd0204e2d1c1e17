"""What the gateway knows of models: what they can do, and what they cost."""

from dataclasses import dataclass, field

from domain.catalogue import Catalogue
from gateway.pricing import Prices
from gateway.published import published_context


@dataclass(frozen=True)
class Knowledge:
    """Models and prices; without any, models are tried as they come, and cost what is published."""

    catalogue: Catalogue = field(default_factory=lambda: Catalogue((), published_context))
    prices: Prices = field(default_factory=Prices)
