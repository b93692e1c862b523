//! A line of a terminal that is not shown while it is typed.

use std::io::{self, BufRead as _, Write as _};

/// Asks for a line and reads it without showing it. Ctrl-C ends the program and may leave the terminal silent, as with any other program;
/// `reset` mends that.
pub(super) fn ask_unseen(question: &str) -> io::Result<String> {
    let mut err = io::stderr();
    write!(err, "{question}")?;
    err.flush()?;
    let shown = set_echo(false)?;
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    if shown {
        set_echo(true)?;
    }
    writeln!(err)?;
    read?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Has the terminal of standard input show what is typed, or not. Says whether it did before.
fn set_echo(echo: bool) -> io::Result<bool> {
    let mut settings = std::mem::MaybeUninit::<libc::termios>::uninit();
    // SAFETY: the descriptor is open, and the place is one for a `termios`.
    if unsafe { libc::tcgetattr(libc::STDIN_FILENO, settings.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call above succeeded, so it was written.
    let mut settings = unsafe { settings.assume_init() };
    let before = settings.c_lflag & libc::ECHO != 0;
    settings.c_lflag = if echo { settings.c_lflag | libc::ECHO } else { settings.c_lflag & !libc::ECHO };
    // SAFETY: the descriptor is open, and the settings are those that it had but for one flag.
    match unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSAFLUSH, &raw const settings) } {
        0 => Ok(before),
        _ => Err(io::Error::last_os_error()),
    }
}
