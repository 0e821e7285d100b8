//! The sealer is there only where somebody wants it.

use super::with;

#[test]
fn a_stack_without_a_sealer_has_nothing_of_it() {
    let (off, on) = (with(&[("SealerSchedule", "off")]), with(&[]));
    for id in [
        "SealerFunction",
        "SealerRole",
        "SealerLog",
        "SealerFailedAlarm",
    ] {
        assert!(off.resource(id).is_err(), "{id}");
        assert!(on.resource(id).is_ok(), "{id}");
    }
    for output in ["SealerFunction", "SealerRole"] {
        assert!(!off.outputs().contains_key(output), "{output}");
        assert!(on.outputs().contains_key(output), "{output}");
    }
    for alarm in ["FunctionsThrottledAlarm", "FunctionErrorsAlarm"] {
        let metrics = |template: &ees_aws_testkit::template::Template| {
            let alarm = template.resource(alarm).unwrap();
            alarm.properties["Metrics"].as_array().unwrap().len()
        };
        assert_eq!((metrics(&off), metrics(&on)), (7, 8), "{alarm}");
    }
}
