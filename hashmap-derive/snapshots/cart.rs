#[evolving(removed = "Cart.note", was = Vec<String>, sample = Cart::of("pear"))]
struct Cart {
    items: Vec<Item>,
}
