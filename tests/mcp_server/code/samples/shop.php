<?php

namespace Shop;

use Shop\Money\Price;

const LIMIT = 10;

interface Seller extends Person
{
    public function sell(Item $item): ?Price;
}

trait Counts
{
    public function count(): int
    {
        return $this->tally();
    }
}

enum Size: string
{
    case Small = 's';

    public function label(): string
    {
        return ucfirst($this->value);
    }
}

final class Cart extends Base implements Seller
{
    use Counts;

    const MOST = 5;
    private array $items = [];

    public function __construct(private Store $store)
    {
    }

    public function sell(
        Item $item,
        int $count = 1
    ): ?Price {
        return Prices::of(new Receipt($item));
    }
}

function main(array $argv): void
{
    echo helper($argv);
}
?>
<p><?= $title ?></p>
