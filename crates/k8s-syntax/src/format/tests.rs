use super::*;

#[test]
fn formats_are_those_of_the_api_server() {
    for (format, yes, no) in [
        ("ipv4", "10.10.30.26", "10.10.30.256"),
        ("ipv6", "fd00::1", "10.10.30.26"),
        ("cidr", "10.10.30.26/24", "10.10.30.26"),
        ("byte", "aGk=", "aGk"),
        ("byte", "aGk=", "aG\nk="),
        (BYTES, "aG\nk=\n", "aGk"),
        (
            "date-time",
            "2024-02-29T08:00:00.5+01:00",
            "2023-02-29T08:00:00Z",
        ),
        ("date-time", "2024-02-29t08:00:00z", "2024-02-29T24:00:00Z"),
        ("date", "2026-01-31", "2026-1-31"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123"),
        ("hostname", "app.example.com", "app_.example.com"),
        ("hostname", "a-", "a-b-c"),
        ("hostname", "a=", "10.10.30.26"),
        ("ipv4", "01.2.3.4", "01.2.3"),
        ("ipv4", "::ffff:1.2.3.4", "::1"),
        ("cidr", "010.0.0.0/08", "10.0.0.0/33"),
        ("byte", "aGl=", ""),
        (
            "date-time",
            "2026-01-31T08:00:00,5z",
            "2026-01-31T08:00:60Z",
        ),
        ("duration", "2 days", "2"),
        ("uri", "/a", "a"),
        ("email", "A <a@b>", "a"),
        ("mac", "0123.4567.89ab", "01:23:45:67:89"),
        ("mac", "0123456789ab", "0123456789a"),
        ("mac", "01-23-45-67-89-AB", "01:23:45-67:89:ab"),
        (
            "uuid3",
            "123e4567e89b32d3a456426614174000",
            "123e4567-e89b-12d3-a456-426614174000",
        ),
        (
            "uuid4",
            "16fd2706-8baf-433b-82eb-8c7fada847da",
            "16fd2706-8baf-433b-22eb-8c7fada847da",
        ),
        ("uuid5", "886313e1-3b8a-5372-9b90-0c9aee199e5d", "123"),
        ("isbn10", "3 401 01319 X", "3423214121"),
        ("isbn13", "978-4-87311-368-5", "9784873113686"),
        ("isbn", "3836221195", "foo"),
        ("creditcard", "4220-8554-2622-2389", "4220855426213389"),
        ("ssn", "123-45 6789", "123456789"),
        ("hexcolor", "fff", "#ff"),
        ("rgbcolor", "rgb(0,  31, 255)", "rgb(01,31,255)"),
        (
            "bsonobjectid",
            "507f1f77bcf86cd799439011",
            "507f1f77bcf86cd79943901",
        ),
        ("k8s-short-name", "a-b", "a.b"),
        ("k8s-long-name", "a.b", "a_b"),
    ] {
        assert_eq!(violated(format, yes), None, "{format} {yes}");
        assert!(violated(format, no).is_some(), "{format} {no}");
    }
    for format in ["int32", "idn-hostname", "password"] {
        assert_eq!(violated(format, "not enforced"), None);
    }
}
