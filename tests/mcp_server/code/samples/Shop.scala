package shop

import shop.money.Money

trait Seller[T] {
  def sell(item: T): Option[Money]
  type Out
}

case class Item(name: String, price: Money)

class Cart(items: List[Item]) extends Base(items) with Seller[Item] {
  val limit = 10

  override def sell(item: Item): Option[Money] = {
    Prices.of(item).map(log)
  }

  def total: Money = items.map(_.price).sum
}

object Cart {
  def empty: Cart = new Cart(Nil)
  type Prices = Map[String, Money]
}

enum Size {
  case Small, Large
}

def main(argv: Array[String]): Unit = println(helper(argv))
