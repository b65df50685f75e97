//! A real shell on a real terminal, at which keys are pressed and whose screen is read. Debian's `script` makes the
//! terminal, and every Debian has it.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// The shell; ended when dropped.
pub(crate) struct Terminal {
    child: Child,
    keys: ChildStdin,
    screen: Arc<Mutex<String>>,
}

impl Terminal {
    /// Starts `shell` by a command for `script`, and has it read `setup`, a line that prints nothing.
    pub(crate) fn new(mut script: Command, shell: &str, setup: &str) -> Self {
        script.args(["-q", "-f", "-c", shell, "/dev/null"]).env("TERM", "dumb");
        let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (keys, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let screen = Arc::new(Mutex::new(String::new()));
        let seen = Arc::clone(&screen);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut bytes) {
                seen.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..length]));
            }
        });
        let mut terminal = Self { child, keys, screen };
        // What the terminal echoes of this is not what the shell prints.
        terminal.press(&format!("stty cols 160 rows 50; {setup}; echo rea''dy\n"));
        terminal.wait_for("ready");
        terminal
    }

    /// Presses keys on a line that is new, and returns the screen from there on once it shows `expected`.
    #[track_caller]
    pub(crate) fn complete(&mut self, keys: &str, expected: &str) -> String {
        // Ctrl-U wipes the line.
        self.press("\x15echo ne''xt\n");
        self.wait_for("next");
        self.press(keys);
        self.wait_for(expected)
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits until the screen shows something, for half a minute at the most, and begins a new screen.
    #[track_caller]
    fn wait_for(&self, expected: &str) -> String {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let screen = self.screen.lock().unwrap().clone();
            if screen.contains(expected) {
                self.screen.lock().unwrap().clear();
                return screen;
            }
            assert!(Instant::now() < end, "the screen does not show {expected:?}:\n{screen}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
