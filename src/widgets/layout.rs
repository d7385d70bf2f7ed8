//! Size -> areas. Pure: the same function tells `update` how far a page is and `draw` where it goes.

use ratatui::layout::Rect;

/// Below this nothing useful fits.
pub const LEAST: (u16, u16) = (60, 15);

/// From this width on there is room for a second pane.
const PANE_FROM: u16 = 140;

/// The three parts that every screen has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    /// One line: where you are and how fresh it is.
    pub top: Rect,
    pub content: Rect,
    /// One line: what the keys do here.
    pub keys: Rect,
}

/// None: too small to draw anything but a word.
pub fn areas(size: Rect) -> Option<Areas> {
    if size.width < LEAST.0 || size.height < LEAST.1 {
        return None;
    }
    let row = |y, height| Rect { y: size.y + y, height, ..size };
    Some(Areas { top: row(0, 1), content: row(1, size.height - 2), keys: row(size.height - 1, 1) })
}

/// Content, with a foot of so many lines below it; the foot never takes more than a third.
pub fn with_foot(content: Rect, lines: usize) -> (Rect, Rect) {
    let most = (content.height / 3).max(2).min(content.height);
    let foot = u16::try_from(lines).unwrap_or(u16::MAX).min(most);
    let above = Rect { height: content.height - foot, ..content };
    (above, Rect { y: content.y + above.height, height: foot, ..content })
}

/// The main part and, on a wide screen, a pane at its right.
pub fn with_pane(content: Rect) -> (Rect, Option<Rect>) {
    if content.width < PANE_FROM {
        return (content, None);
    }
    let pane = (content.width / 9 * 2).clamp(34, 52);
    let main = Rect { width: content.width - pane, ..content };
    (main, Some(Rect { x: content.x + main.width, width: pane, ..content }))
}

/// A box in the middle, as large as asked for but inside.
pub fn centred(outer: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(outer.width), height.min(outer.height));
    Rect { x: outer.x + (outer.width - width) / 2, y: outer.y + (outer.height - height) / 2, width, height }
}

/// The first visible line: `offset`, moved as little as needed so that `cursor` is visible.
pub fn window(offset: usize, cursor: usize, height: usize, count: usize) -> usize {
    let height = height.max(1);
    let offset = offset.min(count.saturating_sub(height));
    if cursor < offset { cursor } else { offset.max((cursor + 1).saturating_sub(height)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tiny_terminal_has_no_areas_and_the_least_has_all() {
        assert_eq!(areas(Rect::new(0, 0, 20, 5)), None);
        let areas = areas(Rect::new(0, 0, 60, 15)).unwrap();
        assert_eq!((areas.top.height, areas.content.height, areas.keys.y), (1, 13, 14));
    }

    #[test]
    fn the_window_moves_only_as_far_as_needed() {
        assert_eq!(window(0, 5, 10, 100), 0);
        assert_eq!(window(0, 10, 10, 100), 1);
        assert_eq!(window(20, 5, 10, 100), 5);
        assert_eq!(window(95, 99, 10, 100), 90);
        assert_eq!(window(5, 0, 10, 3), 0);
    }
}
