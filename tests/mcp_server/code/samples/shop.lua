local prices = require("prices")

LIMIT = 10
local Cart = {}

function Cart.new(items)
  return setmetatable({ items = items }, Cart)
end

function Cart:total(currency)
  return prices.of(self.items, currency)
end

local function helper(a, b)
  return a + b
end

Cart.empty = function()
  return Cart.new({})
end

local format = function(text) return helper(text:upper()) end

function main(...)
  print(format("x"))
end
