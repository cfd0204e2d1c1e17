package shop

import shop.money.Money

const val LIMIT = 10

typealias Prices = Map<String, Money>

interface Seller {
    fun sell(item: Item): Money?
}

data class Item(val name: String, val price: Money)

enum class Size { SMALL, LARGE }

class Cart<T : Item>(private val items: List<T>) : Base(), Seller {
    val size: Int
        get() = items.size

    override fun sell(item: Item): Money? {
        return Prices.of(item)?.also { log(it) }
    }

    companion object {
        fun empty() = Cart<Item>(listOf())
    }
}

object Registry {
    fun add(cart: Cart<*>) {}
}

suspend fun String.shout(
    times: Int = 1,
): String = uppercase()
