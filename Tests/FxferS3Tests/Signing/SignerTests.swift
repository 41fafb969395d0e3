import FxferProtocol
import FxferStorage
import NIOCore
import NIOHTTP1
import Testing

@testable import FxferS3

/// The examples of AWS's own documentation: "Signature Calculations for the Authorization Header: Transferring Payload in
/// a Single Chunk", Amazon S3 API Reference.
@Suite("A signature")
struct SignerTests {
    static let signer = Signer(
        credentials: Credentials(
            accessKey: "AKIAIOSFODNN7EXAMPLE",
            secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
        ),
        region: "us-east-1"
    )
    static let host = "examplebucket.s3.amazonaws.com"
    /// 24 May 2013, 00:00 UTC.
    static let time = SigningTime(FileTime(seconds: 1_369_353_600, nanoseconds: 0))

    struct Example: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let request: S3Request
        let path: String
        let signed: String
        let signature: String
    }

    static let examples = [
        Example(
            testDescription: "GET object",
            request: S3Request(.GET, Array("test.txt".utf8)).with("range", "bytes=0-9"),
            path: "/test.txt",
            signed: "host;range;x-amz-content-sha256;x-amz-date",
            signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        ),
        Example(
            testDescription: "PUT object",
            request: S3Request(.PUT, Array("test$file.text".utf8))
                .sending(ByteBuffer(string: "Welcome to Amazon S3."))
                .with("date", "Fri, 24 May 2013 00:00:00 GMT")
                .with("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            path: "/test%24file.text",
            signed: "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        ),
        Example(
            testDescription: "GET bucket lifecycle",
            request: S3Request(.GET).asking("lifecycle"),
            path: "/",
            signed: "host;x-amz-content-sha256;x-amz-date",
            signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        ),
        Example(
            testDescription: "GET bucket (list objects)",
            request: S3Request(.GET).asking("max-keys", "2").asking("prefix", "J"),
            path: "/",
            signed: "host;x-amz-content-sha256;x-amz-date",
            signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        ),
    ]

    @Test("is that of AWS's published examples", arguments: examples)
    func example(example: Example) {
        var request = example.request
        Self.signer.sign(&request, host: Self.host, path: example.path, at: Self.time)
        let header = request.headers.first { $0.name == "authorization" }?.value
        #expect(
            header == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                + "SignedHeaders=\(example.signed),Signature=\(example.signature)"
        )
    }

    @Test("covers the token of a session")
    func session() {
        let credentials = Credentials(accessKey: "key", secretKey: "secret", sessionToken: "token")
        var request = S3Request(.GET)
        Signer(credentials: credentials, region: "eu-north-1").sign(&request, host: "h", path: "/", at: Self.time)
        #expect(request.headers.contains { $0.name == "x-amz-security-token" && $0.value == "token" })
        let header = request.headers.first { $0.name == "authorization" }?.value ?? ""
        #expect(header.contains("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,"))
    }

    @Test("the escaped path of a key is the one of the examples")
    func path() throws {
        let bucket = try Bucket("s3://examplebucket", endpoint: nil, region: "us-east-1")
        #expect(bucket.path(of: Array("test$file.text".utf8)) == "/test%24file.text")
        #expect(bucket.authority == "examplebucket.s3.us-east-1.amazonaws.com")
    }

    @Test("no description of credentials has the secret")
    func secret() {
        let credentials = Self.signer.credentials
        var dumped = ""
        dump(credentials, to: &dumped)
        for text in ["\(credentials)", String(reflecting: credentials), dumped] { #expect(!text.contains("wJalr")) }
    }
}
