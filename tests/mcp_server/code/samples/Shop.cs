using System.Collections.Generic;

namespace Shop;

public delegate Money Pricing(Item item);

public abstract class Cart<T> : Base, ISeller where T : Item
{
    public const int Limit = 10;
    private readonly List<T> items = new();

    public event Pricing? Sold;

    public Cart(List<T> items)
    {
        this.items = items;
    }

    public int Count => items.Count;

    public Money Total { get; set; }

    [Pure]
    public async Task<Money> Pay(
        int amount,
        string currency = "EUR")
    {
        return await Prices.Of(new Receipt(amount)).Print<T>();
    }
}

public interface ISeller
{
    Task<Money> Pay(int amount, string currency);
}

public enum Size { Small, Large }

public record Price(int Amount);

public struct Point
{
    public static Point operator +(Point a, Point b) => Add(a, b);
}
