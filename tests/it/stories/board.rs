//! The first screen.

use crate::story::{settings, shop_with_tags};

#[test]
fn look() {
    for (w, h) in [(80, 24), (100, 24), (160, 45)] {
        println!("{}", shop_with_tags(settings(w, h)).screen());
        println!("{}", "=".repeat(w.into()));
    }
    let mut s = shop_with_tags(settings(100, 40));
    s.press("Enter");
    println!("{}", s.screen());
    s.press("t");
    println!("{}", s.screen());
    s.press("Esc Esc ?");
    println!("{}", s.screen());
    s.press("Esc Down R");
    println!("{}", s.screen());
}
