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

fn contains(bytes: &[u8], needle: &str) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
}

fn search(folder: &Path, look: &mut impl FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(folder).expect("readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            search(&path, look);
        } else {
            look(&path, &std::fs::read(&path).expect("readable"));
        }
    }
}
