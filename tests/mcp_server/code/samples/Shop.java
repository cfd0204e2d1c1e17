package shop;

import java.util.List;

public class Shop<T extends Item> extends Base implements Seller {
    public static final int LIMIT = 10;
    private final List<T> items;

    public Shop(List<T> items) {
        this.items = items;
    }

    @Override
    public Money sell(
            T item,
            int count) throws SoldOut {
        return Prices.of(item).times(count);
    }

    static class Shelf {
        void put(Item item) {
            new Box<>(item).close();
        }
    }
}

interface Seller {
    Money sell(Item item, int count);
}

enum Size {
    SMALL, LARGE;

    int width() {
        return 1;
    }
}

record Price(int amount, String currency) {
    Price {
        check(amount);
    }
}

@interface Sold {
    String by();
}
