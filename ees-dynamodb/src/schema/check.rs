//! Compares a table with its definition.

use aws_sdk_dynamodb::operation::create_table::CreateTableInput;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, IndexStatus, KeySchemaElement, ProjectionType, StreamViewType,
    TableDescription, TableStatus,
};

/// A difference between a table and its definition.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    pub(crate) found: String,
    pub(crate) expected: String,
    pub(crate) mend: &'static str,
}

const OTHER_TABLE: &str = "A table's key cannot be changed: name another table in the storage URL, \
     or create new tables with `ees admin create-tables`";

const LOCAL_INDEX: &str = "Local indexes can only be created together with the table. If the index \
     has another name, set `first_event_index=` or `last_event_index=` in the storage URL; \
     otherwise create new tables with `ees admin create-tables`";

const GLOBAL_INDEX: &str = "If the index has another name, set `enumeration_index=` in the storage \
     URL (a table made by the Python original: `enumeration_index=EmumerationIndex`); otherwise \
     add it with `aws dynamodb update-table`";

const PROJECTION: &str = "Delete the index and create it again with projection KEYS_ONLY, with `aws \
     dynamodb update-table`";

const STREAM: &str = "Enable the stream: `aws dynamodb update-table --stream-specification \
     StreamEnabled=true,StreamViewType=NEW_IMAGE --table-name TABLE`";

const WAIT: &str = "Wait until it is ACTIVE, and try again";

/// An index: its name, its keys, and its projection.
type Index<'a> = (Option<&'a str>, Vec<String>, Option<&'a ProjectionType>);

/// Compares a table with its definition.
pub(crate) fn check(found: &TableDescription, wanted: &CreateTableInput) -> Result<(), Mismatch> {
    if !matches!(
        found.table_status(),
        Some(TableStatus::Active | TableStatus::Updating) | None
    ) {
        return mismatch(status(found), "ACTIVE".to_owned(), WAIT);
    }
    let key = |keys, attributes| keyed(keys, attributes).join(", ");
    let (has, needs) = (
        key(found.key_schema(), found.attribute_definitions()),
        key(wanted.key_schema(), wanted.attribute_definitions()),
    );
    if has != needs {
        return mismatch(
            format!("the key ({has})"),
            format!("({needs})"),
            OTHER_TABLE,
        );
    }
    local_indexes(found, wanted)?;
    global_indexes(found, wanted)?;
    stream(found, wanted)
}

fn mismatch(found: String, expected: String, mend: &'static str) -> Result<(), Mismatch> {
    Err(Mismatch {
        found,
        expected,
        mend,
    })
}

fn status(found: &TableDescription) -> String {
    let status = found.table_status().map_or("unknown", TableStatus::as_str);
    format!("the status {status}")
}

fn local_indexes(found: &TableDescription, wanted: &CreateTableInput) -> Result<(), Mismatch> {
    // A table may have been created without local indexes.
    if found.local_secondary_indexes().is_empty() {
        return Ok(());
    }
    let attributes = found.attribute_definitions();
    let has: Vec<Index<'_>> = found
        .local_secondary_indexes()
        .iter()
        .map(|index| {
            (
                index.index_name(),
                keyed(index.key_schema(), attributes),
                None,
            )
        })
        .collect();
    let attributes = wanted.attribute_definitions();
    for index in wanted.local_secondary_indexes() {
        find(
            &has,
            index.index_name(),
            &keyed(index.key_schema(), attributes),
            LOCAL_INDEX,
        )?;
    }
    Ok(())
}

fn global_indexes(found: &TableDescription, wanted: &CreateTableInput) -> Result<(), Mismatch> {
    let attributes = found.attribute_definitions();
    let described = found.global_secondary_indexes();
    let has: Vec<Index<'_>> = described
        .iter()
        .map(|index| {
            let holds = index.projection().and_then(|held| held.projection_type());
            let keys = keyed(index.key_schema(), attributes);
            (index.index_name(), keys, holds)
        })
        .collect();
    let attributes = wanted.attribute_definitions();
    for index in wanted.global_secondary_indexes() {
        let name = index.index_name();
        let keys = keyed(index.key_schema(), attributes);
        let holds = find(&has, name, &keys, GLOBAL_INDEX)?;
        if !matches!(holds, Some(ProjectionType::KeysOnly | ProjectionType::All)) {
            let holds = holds.map_or("nothing", ProjectionType::as_str);
            let found = format!("index `{name}` with projection {holds}");
            return mismatch(found, "projection KEYS_ONLY or ALL".to_owned(), PROJECTION);
        }
        let mut described = described.iter();
        let status = described.find(|index| index.index_name() == Some(name));
        if let Some(IndexStatus::Creating) = status.and_then(|index| index.index_status()) {
            let found = format!("index `{name}` with the status CREATING");
            return mismatch(found, "ACTIVE".to_owned(), WAIT);
        }
    }
    Ok(())
}

/// Finds an index by name and keys, and returns its projection.
fn find<'a>(
    has: &[Index<'a>],
    name: &str,
    keys: &[String],
    mend: &'static str,
) -> Result<Option<&'a ProjectionType>, Mismatch> {
    let expected = format!("index `{name}` ({})", keys.join(", "));
    match has.iter().find(|(found, _, _)| *found == Some(name)) {
        Some((_, found, holds)) if found == keys => Ok(*holds),
        Some((_, found, _)) => Err(Mismatch {
            found: format!("index `{name}` ({})", found.join(", ")),
            expected,
            mend,
        }),
        None => {
            let names: Vec<&str> = has.iter().filter_map(|(name, _, _)| *name).collect();
            let found = if names.is_empty() {
                "no such index".to_owned()
            } else {
                format!("only the indexes {}", names.join(", "))
            };
            Err(Mismatch {
                found,
                expected,
                mend,
            })
        }
    }
}

fn stream(found: &TableDescription, wanted: &CreateTableInput) -> Result<(), Mismatch> {
    if wanted.stream_specification().is_none() {
        return Ok(());
    }
    let stream = found.stream_specification();
    let view = stream.filter(|stream| stream.stream_enabled());
    let view = view.and_then(|stream| stream.stream_view_type());
    match view {
        Some(StreamViewType::NewImage | StreamViewType::NewAndOldImages) => Ok(()),
        view => {
            let view = view.map_or("no stream".to_owned(), |view| {
                format!("a stream of {}", view.as_str())
            });
            mismatch(view, "a stream of NEW_IMAGE".to_owned(), STREAM)
        }
    }
}

/// Keys with their types: `stream_id S HASH`.
fn keyed(keys: &[KeySchemaElement], attributes: &[AttributeDefinition]) -> Vec<String> {
    let of = |name: &str| {
        let attribute = attributes.iter().find(|one| one.attribute_name() == name);
        attribute.map_or("?", |attribute| attribute.attribute_type().as_str())
    };
    let name = |key: &KeySchemaElement| {
        let (name, role) = (key.attribute_name(), key.key_type().as_str());
        format!("{name} {} {role}", of(name))
    };
    keys.iter().map(name).collect()
}
