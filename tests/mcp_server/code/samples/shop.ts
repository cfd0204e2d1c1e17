import type { Money } from "./money";

export const LIMIT: number = 10;
export type Price = Money | null;

export interface Seller<T> extends Person {
  name: string;
  sell(item: Item<T>): Promise<Price>;
}

export enum Size {
  Small,
  Large,
}

export abstract class Shop implements Seller<string> {
  private items: Item[] = [];

  constructor(readonly name: string) {}

  abstract open(): void;

  async sell(item: Item<string>): Promise<Price> {
    return priceOf(item as Thing);
  }

  find = (name: string): Item | undefined => this.items.find((item) => item.name === name);
}

namespace Tools {
  export function clean(text: string): string {
    return text.trim();
  }
}

export function priceOf<T extends Thing>(item: T): Price {
  return new Money(item);
}

declare module "other" {
  export function helper(): void;
}
declare function external(a: number): void;
