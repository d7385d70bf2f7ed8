//! Meaning -> style and glyph. Screens say what a thing means; only this file knows colours.
//!
//! 16 colours by default; `TrueColour` uses the Okabe-Ito palette (`reference/ux.md` §4.7). Without colour a style
//! holds modifiers only, so that reverse video and underline survive. Colour repeats what glyph and word say.

use crate::domain::standing::Standing;
use ratatui::style::{Color, Modifier, Style};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColourMode {
    /// `NO_COLOR`: modifiers only.
    None,
    #[default]
    Ansi16,
    TrueColour,
}

/// What a piece of text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    Plain,
    Muted,
    Title,
    /// The name of a key in a hint.
    Key,
    Selected,
    Marked,
    Link,
    Problem,
    Warning,
    Success,
    /// A newer version exists.
    Newer,
    /// A newer major version exists.
    Major,
    /// Where a search hit.
    Hit,
    /// DEMO, WRITE: must not be overlooked.
    Notice,
    Standing(Standing),
    YamlKey,
    YamlText,
    YamlNumber,
    YamlComment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Theme {
    pub colour: ColourMode,
    pub ascii: bool,
}

impl Theme {
    pub fn style(&self, meaning: Meaning) -> Style {
        let style = Style::new().add_modifier(modifiers(meaning));
        match (self.colour, colours(meaning)) {
            (ColourMode::None, _) | (_, None) => style,
            (ColourMode::Ansi16, Some((basic, _))) => style.fg(basic),
            (ColourMode::TrueColour, Some((_, rgb))) => style.fg(rgb),
        }
    }

    /// Glyph for a standing (`reference/ux.md` §4.7); terminating is `×`.
    pub fn glyph(&self, standing: Standing) -> &'static str {
        let (unicode, ascii) = match standing {
            Standing::Ready => ("✓", "+"),
            Standing::Stale => ("≈", "~"),
            Standing::Progressing => ("…", "."),
            Standing::Failing => ("✗", "x"),
            Standing::Stalled => ("‼", "!!"),
            Standing::Suspended => ("‖", "="),
            Standing::Terminating => ("×", "T"),
            Standing::Unknown => ("?", "?"),
        };
        self.pick(unicode, ascii)
    }

    /// Newer, and in range: it comes by itself.
    pub fn newer(&self) -> &'static str {
        self.pick("↑", "^")
    }

    /// Newer, and outside the range.
    pub fn beyond(&self) -> &'static str {
        self.pick("⇡", "^^")
    }

    /// Newer by a major version, and outside the range.
    pub fn beyond_major(&self) -> &'static str {
        self.pick("⇈", "^!")
    }

    /// Older than what runs.
    pub fn older(&self) -> &'static str {
        self.pick("↓", "v")
    }

    pub fn running(&self) -> &'static str {
        self.pick("●", "*")
    }

    /// What Flux would take.
    pub fn chosen(&self) -> &'static str {
        self.pick("▸", ">")
    }

    pub fn arrow(&self) -> &'static str {
        self.pick("→", "->")
    }

    pub fn crumb(&self) -> &'static str {
        self.pick("›", ">")
    }

    pub fn dot(&self) -> &'static str {
        self.pick("·", "-")
    }

    pub fn rule(&self) -> &'static str {
        self.pick("─", "-")
    }

    /// An answer that was asked for and is not here yet.
    pub fn waiting(&self) -> &'static str {
        self.pick("…", "...")
    }

    pub fn pick(&self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.ascii { ascii } else { unicode }
    }
}

/// The nearest ASCII for a symbol of ours; `?` for any other character that such a terminal cannot show.
pub fn ascii(symbol: &str) -> &'static str {
    match symbol {
        "…" => "~",
        "·" | "─" | "–" | "—" => "-",
        "›" | "→" | "▸" => ">",
        "←" => "<",
        "│" => "|",
        "●" => "*",
        _ => "?",
    }
}

fn modifiers(meaning: Meaning) -> Modifier {
    match meaning {
        Meaning::Selected | Meaning::Notice => Modifier::REVERSED,
        Meaning::Title
        | Meaning::Key
        | Meaning::Marked
        | Meaning::Problem
        | Meaning::Standing(Standing::Stalled | Standing::Failing) => Modifier::BOLD,
        Meaning::Hit | Meaning::Link => Modifier::UNDERLINED,
        Meaning::Muted | Meaning::YamlComment | Meaning::Standing(Standing::Unknown) => Modifier::DIM,
        Meaning::Plain
        | Meaning::Warning
        | Meaning::Success
        | Meaning::Newer
        | Meaning::Major
        | Meaning::Standing(_)
        | Meaning::YamlKey
        | Meaning::YamlText
        | Meaning::YamlNumber => Modifier::empty(),
    }
}

/// The basic colour and its true-colour sibling.
fn colours(meaning: Meaning) -> Option<(Color, Color)> {
    const GREEN: (Color, Color) = (Color::Green, Color::Rgb(0x00, 0x9e, 0x73));
    const ORANGE: (Color, Color) = (Color::Yellow, Color::Rgb(0xe6, 0x9f, 0x00));
    const SKY: (Color, Color) = (Color::Cyan, Color::Rgb(0x56, 0xb4, 0xe9));
    const RED: (Color, Color) = (Color::Red, Color::Rgb(0xd5, 0x5e, 0x00));
    const PINK: (Color, Color) = (Color::Magenta, Color::Rgb(0xcc, 0x79, 0xa7));
    match meaning {
        Meaning::Plain
        | Meaning::Muted
        | Meaning::Title
        | Meaning::Selected
        | Meaning::Notice
        | Meaning::Hit
        | Meaning::YamlComment
        | Meaning::Standing(Standing::Unknown) => None,
        Meaning::Key
        | Meaning::Link
        | Meaning::YamlKey
        | Meaning::Marked
        | Meaning::Newer
        | Meaning::Standing(Standing::Progressing) => Some(SKY),
        Meaning::Problem | Meaning::Standing(Standing::Failing | Standing::Stalled) => Some(RED),
        Meaning::Warning | Meaning::Major | Meaning::Standing(Standing::Stale) => Some(ORANGE),
        Meaning::Success | Meaning::YamlText | Meaning::Standing(Standing::Ready) => Some(GREEN),
        Meaning::YamlNumber | Meaning::Standing(Standing::Suspended | Standing::Terminating) => Some(PINK),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_a_style_holds_modifiers_only() {
        let theme = Theme { colour: ColourMode::None, ascii: false };
        for standing in Standing::ALL {
            assert_eq!(theme.style(Meaning::Standing(standing)).fg, None, "{standing}");
        }
        assert!(theme.style(Meaning::Selected).add_modifier.contains(Modifier::REVERSED));
    }

    #[test]
    fn every_standing_has_its_own_glyph_in_both_alphabets() {
        for ascii in [false, true] {
            let theme = Theme { colour: ColourMode::None, ascii };
            let glyphs: std::collections::BTreeSet<_> =
                Standing::ALL.iter().map(|s| theme.glyph(*s)).collect();
            assert_eq!(glyphs.len(), Standing::ALL.len());
            assert!(!ascii || glyphs.iter().all(|g| g.is_ascii()));
        }
    }
}
