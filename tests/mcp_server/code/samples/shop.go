package shop

import "fmt"

const Limit = 10

var (
	ErrSold = fmt.Errorf("sold")
	count   int
)

type Item struct {
	Name  string
	Price Money
}

type Seller interface {
	Sell(item *Item) (Money, error)
}

type Prices map[string]Money

type ID = string

func New(items ...Item) *Shop[Item] {
	return &Shop[Item]{items: items}
}

func (s *Shop[T]) Sell(item *Item) (Money, error) {
	defer s.log(item.Name)
	return prices.Of(item), nil
}
