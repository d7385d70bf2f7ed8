//! The whole program in a pseudo-terminal, on the demo: it starts, obeys, and gives the terminal back.

use crate::pty::Pty;
use portable_pty::CommandBuilder;
use std::process::{Command, Stdio};

fn fluxscope(arguments: &[&str]) -> CommandBuilder {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_fluxscope"));
    command.args(arguments);
    let home = std::env::temp_dir().join("fluxscope-tests");
    std::fs::create_dir_all(&home).unwrap();
    command.cwd(&home);
    command.env_remove("NO_COLOR");
    command.env_remove("KUBECONFIG");
    command.env("HOME", &home);
    command.env("XDG_STATE_HOME", home.join("state"));
    command.env("LANG", "C.UTF-8");
    command
}

fn demo(columns: u16, rows: u16) -> Pty {
    let mut pty = Pty::start(fluxscope(&["--demo"]), columns, rows);
    pty.wait_for("shop/podinfo");
    pty
}

#[test]
fn the_demo_says_so_and_q_twice_gives_the_terminal_back() {
    let mut pty = demo(100, 30);
    assert!(pty.is_on_alternate_screen());
    pty.wait_for("DEMO");
    pty.press("q");
    pty.wait_for("uit");
    pty.press("y");
    assert!(pty.wait_end().success());
    assert!(!pty.is_on_alternate_screen(), "the shell's screen is back");
    let tail = String::from_utf8_lossy(&pty.bytes).into_owned();
    assert!(tail.contains("\u{1b}[?1049l") && tail.contains("\u{1b}[?25h") && tail.contains("\u{1b}[?2004l"));
}

#[test]
fn control_c_leaves_at_once() {
    let mut pty = demo(80, 24);
    pty.press("\u{3}");
    assert!(pty.wait_end().success());
    assert!(!pty.is_on_alternate_screen());
}

#[test]
fn a_termination_signal_gives_the_terminal_back() {
    for signal in ["TERM", "HUP"] {
        let mut pty = demo(80, 24);
        let kill = Command::new("kill").arg(format!("-{signal}")).arg(pty.pid().to_string()).status();
        assert!(kill.expect("kill runs").success());
        pty.wait_end();
        assert!(!pty.is_on_alternate_screen(), "after SIG{signal}");
    }
}

#[test]
fn a_tiny_terminal_gets_a_word_and_a_larger_one_the_board() {
    let mut pty = Pty::start(fluxscope(&["--demo"]), 20, 5);
    pty.wait_until("a word about the size", |screen| screen.contains("60") || screen.contains("small"));
    pty.resize(80, 24);
    pty.wait_for("shop/podinfo");
}

#[test]
fn no_color_means_no_colour_at_all_and_keeps_reverse_video() {
    let mut command = fluxscope(&["--demo"]);
    command.env("NO_COLOR", "1");
    let mut pty = Pty::start(command, 80, 24);
    pty.wait_for("shop/podinfo");
    pty.press("j");
    pty.press("\u{3}");
    pty.wait_end();
    let text = String::from_utf8_lossy(&pty.bytes).into_owned();
    let colours =
        regex::Regex::new(r"\x1b\[(?:[0-9;]*;)?(?:3[0-7]|4[0-7]|9[0-7]|10[0-7]|[34]8;[25];[0-9;]+)m")
            .unwrap();
    assert!(
        !colours.is_match(&text),
        "found {:?}",
        colours.find(&text).map(|m| m.as_str().escape_debug().to_string())
    );
    assert!(text.contains("\u{1b}[7m"), "the selection is reverse video");
}

#[test]
fn nothing_is_written_while_nothing_changes() {
    let mut pty = demo(80, 24);
    pty.press("?");
    pty.wait_for("help");
    let quiet = pty.bytes_after_quiet();
    assert!(quiet < 2_000, "{quiet} bytes were written to an idle screen");
    pty.press("\u{3}");
    pty.wait_end();
}

#[test]
fn without_a_terminal_it_names_the_commands_and_exits_with_2() {
    let output = Command::new(env!("CARGO_BIN_EXE_fluxscope"))
        .arg("--demo")
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("commands get, tags, history, outdated, match, inspect, files")
            && said.contains("terminal"),
        "{said}"
    );
}
