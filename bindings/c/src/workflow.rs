//! Runs of workflows, and people's tasks in them.
#![expect(unsafe_code, reason = "functions keep their names for the linker")]

use serde_json::{Value, json};
use std::mem::MaybeUninit;

use crate::border::{Buffer, Slice, emptied, wanted};
use crate::error::{Code, Error, cross};
use crate::handles::Deployment;
use crate::perform::perform;

/// Checks a template (a tree of levels, as JSON) and publishes it as its next version.
///
/// `BUILDLY_CODE_INVALID` if something is wrong with it: `fields` of the error names every level, reason and
/// mending. `published` may be NULL; else it is the version as JSON.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_publish_template(
    deployment: Deployment,
    caller: Slice,
    definition: Slice,
    published: Option<&mut MaybeUninit<Buffer>>,
    error: Option<&mut MaybeUninit<Error>>,
) -> Code {
    cross(error, || {
        let place = emptied(published);
        let arguments = json!({"template": definition.json("template")?});
        perform(deployment, "publish_template", Some(caller), arguments, place)
    })
}

/// Starts a run of a template's published version; `input` is JSON, or NULL for none.
///
/// `run` is the run as JSON; `id` in it names it for other functions. The operation `start_run` takes a
/// version, a business key and an idempotency key, too.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_start_run(
    deployment: Deployment,
    caller: Slice,
    template_name: Slice,
    input: Slice,
    run: Option<&mut MaybeUninit<Buffer>>,
    error: Option<&mut MaybeUninit<Error>>,
) -> Code {
    cross(error, || {
        let place = wanted(run, "run")?;
        let arguments =
            json!({"template": template_name.text("template_name")?, "input": input.json("input")?});
        perform(deployment, "start_run", Some(caller), arguments, Some(place))
    })
}

/// Waits until a run has ended, at most so long; gives the run as JSON, ended (`is_ended`) or not.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_wait_for_run(
    deployment: Deployment,
    caller: Slice,
    run_id: Slice,
    timeout_ms: u64,
    run: Option<&mut MaybeUninit<Buffer>>,
    error: Option<&mut MaybeUninit<Error>>,
) -> Code {
    cross(error, || {
        let place = wanted(run, "run")?;
        let arguments = json!({"run": run_id.text("run_id")?, "wait": seconds(timeout_ms)});
        perform(deployment, "run", Some(caller), arguments, Some(place))
    })
}

/// Waits until a run has another `version` than the one that was seen, at most so long; gives the run
/// as JSON.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_wait_for_change(
    deployment: Deployment,
    caller: Slice,
    run_id: Slice,
    version_seen: u64,
    timeout_ms: u64,
    run: Option<&mut MaybeUninit<Buffer>>,
    error: Option<&mut MaybeUninit<Error>>,
) -> Code {
    cross(error, || {
        let place = wanted(run, "run")?;
        let arguments = json!({
            "run": run_id.text("run_id")?, "wait": seconds(timeout_ms), "seen": version_seen,
        });
        perform(deployment, "run", Some(caller), arguments, Some(place))
    })
}

fn seconds(milliseconds: u64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "nobody waits so long that it shows")]
    let seconds = milliseconds as f64 / 1000.0;
    json!(seconds)
}

/// The tasks of people, as a JSON object with `items` and `next`: of one run, or of all (`run_id` NULL);
/// those that the caller may do, or all that the caller may see.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_tasks(
    deployment: Deployment,
    caller: Slice,
    run_id: Slice,
    is_mine: bool,
    tasks: Option<&mut MaybeUninit<Buffer>>,
    error: Option<&mut MaybeUninit<Error>>,
) -> Code {
    cross(error, || {
        let place = wanted(tasks, "tasks")?;
        let arguments = json!({"run": run_id.optional_text("run_id")?, "is_mine": is_mine});
        perform(deployment, "tasks", Some(caller), arguments, Some(place))
    })
}

/// Completes a task with what was filled in, which is JSON; the run goes on.
///
/// `run` may be NULL; else it is the run as JSON.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_complete_task(
    deployment: Deployment,
    caller: Slice,
    task_id: Slice,
    data: Slice,
    run: Option<&mut MaybeUninit<Buffer>>,
    error: Option<&mut MaybeUninit<Error>>,
) -> Code {
    cross(error, || {
        let place = emptied(run);
        let arguments = json!({"task": task_id.text("task_id")?, "data": data.json("data")?});
        perform(deployment, "complete_task", Some(caller), arguments, place)
    })
}
