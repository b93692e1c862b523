//! Secrets are masked before anything is written.

use std::path::Path;

use crate::sandbox::Sandbox;

#[test]
fn a_secret_reaches_the_program_and_no_file_of_recflow() {
    let sandbox = Sandbox::with(
        r#"
tasks:
  use:
    stage: shell
    env: { TOKEN: "{{ secrets.TOKEN }}" }
    with: { script: 'echo "token is $TOKEN"; echo "$TOKEN" > used.txt; echo "t=$TOKEN" > "$RECFLOW_OUTPUT"' }
  pass: { stage: shell, needs: [use], with: { command: [echo, "{{ secrets.TOKEN }}"] } }
  fail: { stage: shell, needs: [use], with: { script: 'echo "bad $TOKEN2" >&2; exit 1', env: { TOKEN2: "{{ secrets.TOKEN }}" } } }
"#,
    );
    let secret = "hunter2-very-secret";
    let output = sandbox.command(&["run", "p.yaml", "--json"]).env("RECFLOW_SECRET_TOKEN", secret).output().expect("starts");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(sandbox.read("used.txt").trim(), secret, "the program itself gets it");
    let said = [output.stdout, output.stderr].concat();
    assert!(!contains(&said, secret) && contains(&said, "bad ***"), "{}", String::from_utf8_lossy(&said));
    assert!(sandbox.recflow(&["logs", "latest"]).out.contains("token is ***"));
    let mut files = 0;
    search(&sandbox.file(".recflow"), &mut |path, bytes| {
        files += 1;
        assert!(!contains(bytes, secret), "{} holds the secret", path.display());
    });
    assert!(files >= 4, "store and logs were searched");
}

#[test]
fn a_secret_of_many_lines_of_digits_or_with_quotes_reaches_no_file_either() {
    let sandbox = Sandbox::with(
        r#"
tasks:
  use:
    stage: shell
    env: { KEY: "{{ secrets.KEY }}", PIN: "{{ secrets.PIN }}" }
    with: { script: 'echo "$KEY"; echo "pin=$PIN" > "$RECFLOW_OUTPUT"' }
  quote: { stage: shell, env: { WORD: "{{ secrets.WORD }}" }, with: { script: 'printf "%s" "$WORD" > "$RECFLOW_OUTPUT"' } }
  dies: { stage: shell, needs: [use], env: { TOKEN: "{{ secrets.TOKEN }}" }, with: { script: 'printf "t=$TOKEN" > "$RECFLOW_OUTPUT"; [ "$TOKEN" = another ] || { kill -9 $PPID; sleep 10; }' } }
"#,
    );
    let run = |arguments: &[&str], token: &str| {
        let mut command = sandbox.command(arguments);
        command.env("RECFLOW_SECRET_KEY", "-----BEGIN-----\nfirstsecretline\nsecondsecretline\n-----END-----");
        command.env("RECFLOW_SECRET_PIN", "8642975310").env("RECFLOW_SECRET_WORD", "quo\"ted\\word").env("RECFLOW_SECRET_TOKEN", token);
        command.output().expect("starts")
    };
    run(&["run", "p.yaml", "--jobs", "1"], "hunter2-token");
    sandbox.wait_until("the run is seen as interrupted", || sandbox.status()["status"] == "interrupted");
    run(&["resume", "latest"], "another");
    let mut files = 0;
    search(&sandbox.file(".recflow"), &mut |path, bytes| {
        files += 1;
        for secret in ["firstsecretline", "secondsecretline", "8642975310", "quo\"ted", "quo\\\"ted", "quo\\\\\\\"ted", "hunter2-token"] {
            assert!(!contains(bytes, secret), "{} holds {secret}", path.display());
        }
    });
    assert!(files >= 2, "store and logs were searched");
    assert_eq!(sandbox.json(&["output", "latest", "use", "--json"]), serde_json::json!({ "pin": "***" }));
}

fn contains(bytes: &[u8], needle: &str) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
}

fn search(folder: &Path, look: &mut impl FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(folder).expect("readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            search(&path, look);
        } else if path.is_file() {
            // A socket, by which a process is woken, holds nothing.
            look(&path, &std::fs::read(&path).expect("readable"));
        }
    }
}
