import FxferProtocol
import Glibc
import Testing

@testable import FxferS3

@Suite("Credentials")
struct CredentialsTests {
    static let file = """
        # a comment
        [default]
        aws_access_key_id = first
        aws_secret_access_key = 1/+=
        [other]
        aws_access_key_id=second
        aws_secret_access_key=2
        aws_session_token = token
        [half]
        aws_access_key_id = third
        """

    private static func withFile(_ text: String = file, _ body: (String) throws -> Void) throws {
        var template = Array("/tmp/fxfer-s3-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        try #require(descriptor != -1)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            close(descriptor)
            unlink(path)
        }
        _ = text.withCString { write(descriptor, $0, strlen($0)) }
        try body(path)
    }

    @Test("come from the environment before any file")
    func environment() throws {
        let source = CredentialsSource([
            "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "c",
            "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
        ])
        #expect(source.file == nil)
        #expect(try source.load() == Credentials(accessKey: "a", secretKey: "b", sessionToken: "c"))
    }

    @Test("the profile's region comes from the configuration file")
    func settings() throws {
        try Self.withFile("[default]\nregion = here\n[profile other]\nregion=there\nendpoint_url = http://a\n") {
            path in
            let first = CredentialsSource(["AWS_CONFIG_FILE": path])
            let (here, none) = (try first.setting("region"), try first.setting("endpoint_url"))
            #expect(here == "here" && none == nil)
            let other = CredentialsSource(["AWS_CONFIG_FILE": path, "AWS_PROFILE": "other"])
            let (there, endpoint) = (try other.setting("region"), try other.setting("endpoint_url"))
            #expect(there == "there" && endpoint == "http://a")
        }
        let unnamed = try CredentialsSource(["HOME": "/nowhere"]).setting("region")
        #expect(unnamed == nil)
        let missing = CredentialsSource(["AWS_CONFIG_FILE": "/nowhere"])
        #expect(throws: FxferError.self) { _ = try missing.setting("region") }
    }

    @Test("come from the profile of a file")
    func profiles() throws {
        try Self.withFile { path in
            let first = CredentialsSource(["AWS_SHARED_CREDENTIALS_FILE": path])
            let one = try first.load()
            #expect(one == Credentials(accessKey: "first", secretKey: "1/+="))
            let second = CredentialsSource(["AWS_SHARED_CREDENTIALS_FILE": path, "AWS_PROFILE": "other"])
            let two = try second.load()
            #expect(two == Credentials(accessKey: "second", secretKey: "2", sessionToken: "token"))
            for profile in ["half", "none"] {
                let source = CredentialsSource(["AWS_SHARED_CREDENTIALS_FILE": path, "AWS_PROFILE": profile])
                #expect(throws: FxferError.self) { try source.load() }
            }
        }
    }

    @Test("have no session token that could not travel in a header, and the error does not repeat it")
    func token() throws {
        for token in ["SECRET\u{1}", "SECRET\nx: y", "SECRET é", "SECRET\u{7F}"] {
            let keys = ["AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": token]
            let error = #expect(throws: FxferError.self) { try CredentialsSource(keys).load() }
            #expect(error?.code == .notPermitted)
            #expect(error?.message.contains("SECRET") == false)
        }
        let text = "[default]\naws_access_key_id=a\naws_secret_access_key=b\naws_session_token=SECRET\u{1}TOKEN\n"
        try Self.withFile(text) { path in
            let source = CredentialsSource(["AWS_SHARED_CREDENTIALS_FILE": path])
            let error = #expect(throws: FxferError.self) { try source.load() }
            #expect(error?.code == .notPermitted)
            #expect(error?.message.contains("SECRET") == false)
        }
    }

    @Test("are those of the user's file where nothing else is said")
    func home() {
        #expect(CredentialsSource(["HOME": "/home/a"]).file == "/home/a/.aws/credentials")
        #expect(CredentialsSource([:]).file == nil)
    }

    @Test(
        "are missing where a part of them is",
        arguments: [
            [:], ["AWS_ACCESS_KEY_ID": "a"], ["AWS_SECRET_ACCESS_KEY": "b"],
            ["AWS_ACCESS_KEY_ID": "a b", "AWS_SECRET_ACCESS_KEY": "b"], ["HOME": "/nowhere"],
        ]
    )
    func missing(environment: [String: String]) {
        #expect(throws: FxferError.self) { try CredentialsSource(environment).load() }
    }
}
