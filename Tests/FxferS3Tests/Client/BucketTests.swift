import FxferProtocol
import Testing

@testable import FxferS3

@Suite("A bucket's place")
struct BucketTests {
    @Test("is read from a URL and an endpoint")
    func place() throws {
        let bucket = try Bucket("s3://files/a/b/", endpoint: "http://127.0.0.1:7480/", region: "us-east-1")
        #expect(bucket.name == "files")
        #expect(bucket.prefix == Array("a/b/".utf8))
        #expect(bucket.origin == "http://127.0.0.1:7480")
        #expect(bucket.path(of: Array("a/b/c d%".utf8)) == "/files/a/b/c%20d%25")
        #expect(bucket.path(of: nil) == "/files")
        #expect(bucket.description == "s3://files/a/b")
    }

    @Test("is the host's first label where that is wanted, as with AWS")
    func virtual() throws {
        let bucket = try Bucket("s3://files", endpoint: "https://store.example", region: "x", addressing: .virtual)
        #expect(bucket.origin == "https://files.store.example")
        #expect(bucket.path(of: nil) == "/")
        #expect(bucket.prefix == [])
        let aws = try Bucket("s3://files", endpoint: nil, region: "eu-north-1")
        #expect(aws.origin == "https://files.s3.eu-north-1.amazonaws.com")
        let v6 = try Bucket("s3://files", endpoint: "http://[::1]:9000", region: "x")
        #expect(v6.origin == "http://[::1]:9000")
    }

    @Test(
        "is refused where it is none",
        arguments: [
            "files", "http://files", "s3://", "s3:///a", "s3://ab", "s3://Files", "s3://files/../a",
            "s3://files/.fxfer",
            "s3://fi_les", "s3://files//a",
        ]
    )
    func refused(location: String) {
        #expect(throws: FxferError.self) {
            try Bucket(location, endpoint: "http://127.0.0.1", region: "us-east-1")
        }
    }

    @Test(
        "takes no endpoint that is none",
        arguments: [
            "127.0.0.1", "ftp://a", "http://", "http://a/b", "http://a:0", "http://a:99999", "http://a b", "http://a@b",
            "http://a:1:2", "http://a?b", "http://a\r\nx: y", "http://a\r", "http://\u{10}1", "http://a:+80",
            "http://a:",
        ]
    )
    func noEndpoint(endpoint: String) {
        #expect(throws: FxferError.self) { try Bucket("s3://files", endpoint: endpoint, region: "us-east-1") }
    }

    @Test(
        "takes no user in an endpoint, and does not repeat his password",
        arguments: [
            "http://user:secret@a", "https://secret@a:80", "http://user:se/cret@a", "user:secret@a", "secret@",
            "x://secret@a@b",
        ]
    )
    func password(endpoint: String) {
        let error = #expect(throws: FxferError.self) {
            try Bucket("s3://files", endpoint: endpoint, region: "us-east-1")
        }
        #expect(error?.code == .usage)
        for secret in ["secret", "cret", "user:"] { #expect(error?.message.contains(secret) == false) }
    }
}
