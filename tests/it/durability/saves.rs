//! An editor saves during a render: the file that was saved last must remain.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Numbers, Tree, Window, restore, rounds};
use crate::common::{APP, ENVOY, MINIMAL, PROGRAM, Project};

/// How an editor saves.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// It renames a new file over the old one.
    Rename,
    /// It truncates the old file and writes it again.
    Truncate,
}

fn save(path: &Path, text: &str, way: Way) {
    match way {
        Way::Rename => {
            let beside = path.with_extension("yaml~");
            std::fs::write(&beside, text).expect("written");
            std::fs::rename(&beside, path).expect("renamed");
        }
        Way::Truncate => {
            let mut file = std::fs::File::create(path).expect("emptied");
            // Two writes, like an editor with a small buffer.
            let (first, second) = text.split_at(text.len() / 2);
            file.write_all(first.as_bytes()).expect("written");
            file.write_all(second.as_bytes()).expect("written");
        }
    }
}

/// The command for a render. If `slow`, each flush takes 30 ms longer.
fn render(project: &Project, slow: bool) -> Command {
    let mut command = if slow {
        let mut command = Command::new("strace");
        command
            .args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync"])
            .args(["-e", "inject=fsync:delay_exit=30000"])
            .args([PROGRAM, "render"])
            .current_dir(project.root());
        command
    } else {
        let mut command = project.command();
        command.arg("render");
        command
    };
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Whether flushes can be slowed down here.
fn can_be_slow() -> bool {
    let tried = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "-e", "trace=fsync"])
        .args(["-e", "inject=fsync:delay_exit=1", "true"])
        .status();
    tried.is_ok_and(|status| status.success())
}

/// A tree, and a configuration that changes one of its files and removes another.
fn prepared() -> (Tree, String) {
    let first = format!("{MINIMAL}\n[layout.files]\nrelease = \"release.yaml\"\n");
    let tree = Project::new().config(first).rendered().files();
    (tree, format!("{MINIMAL}\n[proxy]\nreplicas = 2\n"))
}

#[test]
fn what_an_editor_saves_during_a_render_is_never_lost() {
    let saves = rounds("GATEWAYCTL_SAVES", 40);
    let (tree, second) = prepared();
    let project = Project::new();
    let slow_too = can_be_slow();
    let removed = format!("{APP}/release.yaml");
    let (mut windows, mut numbers) = ([Window(200_000), Window(700_000)], Numbers(3));
    let (mut during, mut slow_ones) = (0, 0);
    for round in 0..saves {
        restore(&project, &tree);
        project.write("cluster.toml", &second);
        let file = if numbers.next(3) == 0 {
            &*removed
        } else {
            ENVOY
        };
        let way = [Way::Rename, Way::Truncate][numbers.index(2)];
        let slow = slow_too && round % 4 == 0;
        slow_ones += u32::from(slow);
        let mine = format!("# saved in round {round}\n{}", project.read(file));

        let mut child = render(&project, slow).spawn().expect("the program starts");
        let window = &mut windows[usize::from(slow)];
        std::thread::sleep(window.next(&mut numbers));
        // The file to remove may be gone by now; an editor creates it again.
        save(&project.path(file), &mine, way);
        let is_during = matches!(child.try_wait(), Ok(None));
        window.learn(is_during);
        during += u32::from(is_during);
        child.wait().expect("it ends");

        let when = format!("round {round}, {file} by {way:?}, slow: {slow}");
        assert_eq!(project.read(file), mine, "{when}");
        // The next render keeps it too, reports it if it is rendered, and leaves no temporary files.
        let run = project.run(["render"]);
        assert_eq!(project.read(file), mine, "{when}: {run}");
        assert!(file != ENVOY || run.code == Some(1), "{when}: {run}");
        let left: Vec<String> = project
            .files()
            .into_keys()
            .filter(|path| path.contains("/.gatewayctl-"))
            .collect();
        assert!(left.is_empty(), "{when}: {left:?}");
    }
    if !slow_too {
        println!("skipped: slow flushes (no strace here, or it may not trace)");
    }
    println!(
        "saves: {saves} by an editor, {during} of them before the render's end, {slow_ones} with slow flushes; lost: 0"
    );
    assert!(
        during >= saves / 5,
        "only {during} of {saves} came during the render"
    );
}
