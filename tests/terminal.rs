//! Presses keys in a real shell on a real terminal, and reads the screen. `script`, which every Debian has, makes the
//! terminal.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// The shell; killed when dropped.
pub(crate) struct Terminal {
    child: Child,
    keys: ChildStdin,
    screen: Arc<Mutex<String>>,
}

impl Terminal {
    /// Starts `shell` with `script`, and runs `setup` in it, a line that prints nothing.
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
        // The echo of this line differs from its output, so `ready` is found only in the output.
        terminal.press(&format!("stty cols 160 rows 50; {setup}; echo rea''dy\n"));
        terminal.wait_for("ready");
        terminal
    }

    /// Presses keys on a new line, waits until the screen shows `expected`, and returns the new part of the screen.
    #[track_caller]
    pub(crate) fn complete(&mut self, keys: &str, expected: &str) -> String {
        // Ctrl-U empties the line.
        self.press("\x15echo ne''xt\n");
        self.wait_for("next");
        self.press(keys);
        self.wait_for(expected)
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits at most half a minute until the screen shows `expected`, returns the screen and clears it.
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
