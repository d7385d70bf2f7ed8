//! All objects of one kind, flat: the board's rows without their tree.

use super::{
    Step,
    board::draw_rows,
    rows::{Arrangement, Rows},
};
use crate::{
    app::{command::Command, memory::Memory},
    domain::identity::Kind,
};
use ratatui::{buffer::Buffer, layout::Rect};

pub struct List {
    pub kind: Kind,
    pub rows: Rows,
}

impl List {
    pub fn new(kind: Kind) -> Self {
        Self { kind, rows: Rows::new(Arrangement::Flat(kind)) }
    }

    pub fn update(&mut self, command: Command, memory: &Memory, content: Rect) -> Step {
        self.rows.update(command, memory, content)
    }

    pub fn draw(&self, memory: &Memory, buffer: &mut Buffer, content: Rect) {
        draw_rows(&self.rows, memory, buffer, content);
    }
}
