//! JSON without the white space between its tokens.

/// Takes the white space between JSON's tokens out, and leaves strings as they are: two answers
/// that differ by their layout alone become the same text.
pub fn tokens(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for character in json.chars() {
        if in_string || !matches!(character, ' ' | '\n' | '\r' | '\t') {
            out.push(character);
        }
        if character == '"' && !escaped {
            in_string = !in_string;
        }
        escaped = in_string && character == '\\' && !escaped;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::tokens;

    #[test]
    fn strings_keep_their_spaces() {
        let json = "{ \"a b\" : [ 1 ,\n\t\" \\\" x\\\\\" , \" \" ] }";
        assert_eq!(tokens(json), "{\"a b\":[1,\" \\\" x\\\\\",\" \"]}");
    }
}
