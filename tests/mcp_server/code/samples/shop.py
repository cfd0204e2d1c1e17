"""A shop."""

from dataclasses import dataclass
from functools import cache

LIMIT: int = 10
names = ["a", "b"]


@dataclass(frozen=True)
class Item:
    """Something to buy."""

    name: str
    price: int = 0


class Cart(list[Item]):
    """What a customer takes."""

    @cache  # noqa: B019 - a sample of a decorated method, which is read and never run
    def total(self) -> int:
        def price(item: Item) -> int:
            return item.price

        return sum(map(price, self))

    async def pay(
        self,
        amount: int,
        currency: str = "EUR",
    ) -> "Cart":
        for item in self:
            await item.bought()  # type: ignore[attr-defined]  # the sample has no such method
        return Cart()


def main() -> None:
    print(Cart().total(), LIMIT)
