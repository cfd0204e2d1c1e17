package sample;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What the training run compiles and runs, so that the classes which most runs need are in the archive. */
public final class Shop {
  private final List<String> items = new ArrayList<>();

  public record Item(String name, int price) {}

  public void add(Item item) {
    if (item.price() < 0) {
      throw new IllegalArgumentException("a price is not negative: " + item.price());
    }
    items.add(item.name());
  }

  public Map<Integer, List<String>> byLength() {
    return items.stream().collect(Collectors.groupingBy(String::length));
  }
}
