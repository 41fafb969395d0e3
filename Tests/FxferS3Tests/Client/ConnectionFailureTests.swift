import AsyncHTTPClient
import Testing

@testable import FxferS3

@Suite("Words for connections that fail")
struct ConnectionFailureTests {
    @Test("have nothing of what was sent in headers")
    func headers() {
        let errors: [HTTPClientError] = [
            .invalidHeaderFieldValues(["SECRET\u{1}"]), .invalidHeaderFieldNames(["SECRET:"]),
            .unsupportedScheme("SECRET"),
        ]
        for error in errors { #expect(!ConnectionFailure.text(of: error).contains("SECRET")) }
        #expect(ConnectionFailure.text(of: HTTPClientError.remoteConnectionClosed) == ConnectionFailure.closed)
    }
}
