//! WHAT IT IS DRAWN WITH: meanings, areas, tables, text. Widgets know no screen and keep no state.

pub mod highlight;
pub mod layout;
pub mod table;
pub mod text;
pub mod theme;
pub mod time;
pub mod toast;
