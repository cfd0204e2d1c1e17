import { price } from "./prices.js";
const LIMIT = 10;
export const format = (item) => `${item.name}: ${price(item)}`;
var legacy = function () {};

export class Cart extends Base {
  static empty = new Cart();
  #secret = 1;

  constructor(items) {
    super();
    this.items = items;
  }

  get size() {
    return this.items.length;
  }

  async *walk() {
    for (const item of this.items) yield item.copy();
  }

  add = (item) => {
    this.items.push(item);
  };
}

export default function main(argv = []) {
  function inner() {}
  return new Cart(argv).walk();
}

function* numbers() {}
exports.handler = async function (event) {};
