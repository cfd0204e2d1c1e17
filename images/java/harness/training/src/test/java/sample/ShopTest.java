package sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ShopTest {
  private Shop shop;

  @BeforeEach
  void open() {
    shop = new Shop();
  }

  @Test
  @DisplayName("groups what it has")
  void groups() {
    shop.add(new Shop.Item("pen", 3));
    assertEquals(List.of("pen"), shop.byLength().get(3));
    assertTrue(shop.byLength().containsKey(3));
  }

  @Test
  void fails() {
    assertEquals(1, 2);
  }

  @Test
  @Disabled("never")
  void skipped() {}

  @ParameterizedTest
  @ValueSource(ints = {-1, -2})
  void refuses(int price) {
    assertThrows(IllegalArgumentException.class, () -> shop.add(new Shop.Item("pen", price)));
  }

  @ParameterizedTest
  @CsvSource({"a,1", "b,2"})
  void takes(String name, int price) {
    shop.add(new Shop.Item(name, price));
  }

  @Nested
  class Inside {
    @Test
    void works() {}
  }
}
