require "set"

module Shop
  LIMIT = 10

  class Cart < Base
    include Countable
    attr_reader :items

    def initialize(items = [])
      @items = items
    end

    def total(currency: "EUR")
      items.sum { |item| Prices.of(item) }
    end

    def self.empty
      new([])
    end

    class << self
      def build
        finish
      end
    end
  end
end

class Shop::Item
  def <=>(other) = name <=> other.name

  def sold?
    true
  end
end

def main
  puts(Shop::Cart.empty.total)
end
