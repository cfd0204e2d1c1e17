use crate::money::{Money, Price as P};

pub const LIMIT: usize = 10;
static COUNT: AtomicUsize = AtomicUsize::new(0);

#[derive(Debug, Clone)]
pub struct Item<'a> {
    name: &'a str,
}

pub enum Size {
    Small,
    Large(u32),
}

pub trait Seller {
    type Out;
    fn sell(&self, item: Item) -> Result<Money, SoldOut>;
    fn close(&mut self) {
        self.shut();
    }
}

impl<'a> Seller for Shop<'a> {
    type Out = u32;

    fn sell(&self, item: Item) -> Result<Money, SoldOut>
    where
        Self: Sized,
    {
        prices::of(&item).ok_or(SoldOut)
    }
}

impl Item<'_> {
    pub async fn new() -> Self {
        log!("new");
        Item { name: "" }
    }
}

mod shelves {
    pub fn put() {}
}

pub type Prices = HashMap<String, Money>;

union Bits {
    a: u32,
}

macro_rules! log {
    ($text:expr) => {
        println!($text)
    };
}
