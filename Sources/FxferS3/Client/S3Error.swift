import FxferProtocol
import NIOHTTP1

/// A request to the store that did not do what it should.
struct S3Error: Error, Sendable {
    /// What became of it.
    enum Reason: Hashable, Sendable {
        /// The store has answered with this status and, where it names one, this code of its own.
        case answered(status: Int, code: String)
        /// No connection, or one that broke, or the answer was too long in coming. Whether the request was carried out is
        /// not known.
        case unreachable(String)
        /// The answer is none that a store gives: cut off, too long, without what it has to have.
        case nonsense(String)
    }

    let reason: Reason
    /// What was asked, for messages: `PUT of 'a/b'`.
    let request: String

    /// The name is not there, or what the request goes on with.
    var isMissing: Bool {
        switch self.reason {
        case .answered(404, _): true
        case .answered(_, let code): ["NoSuchKey", "NoSuchUpload"].contains(code)
        case .unreachable, .nonsense: false
        }
    }

    /// The upload that it was about is not there any more.
    var isWithoutUpload: Bool {
        guard case .answered(let status, let code) = self.reason else { return false }
        return status == 404 && code != "NoSuchBucket" || code == "NoSuchUpload"
    }

    /// The condition that the request made does not hold: another writer was first.
    var isPreconditionFailed: Bool {
        switch self.reason {
        case .answered(412, _), .answered(_, "PreconditionFailed"), .answered(_, "ConditionalRequestConflict"): true
        default: false
        }
    }

    /// Trying again may help, without anything being changed.
    var isTemporary: Bool {
        switch self.reason {
        case .unreachable: true
        case .nonsense: true
        case .answered(let status, let code):
            [429, 500, 502, 503, 504].contains(status)
                || ["SlowDown", "InternalError", "RequestTimeout", "ServiceUnavailable", "Throttling"].contains(code)
        }
    }

    /// Other credentials may help, where there are newer ones.
    var isAboutCredentials: Bool {
        guard case .answered(_, let code) = self.reason else { return false }
        return ["ExpiredToken", "InvalidToken", "InvalidAccessKeyId", "TokenRefreshRequired"].contains(code)
    }

    /// What happened, as the end of a sentence about the store.
    var explanation: String {
        switch self.reason {
        case .unreachable(let why): "it cannot be reached (\(why))"
        case .nonsense(let why): "its answer makes no sense (\(why))"
        case .answered(let status, let code):
            switch code {
            case "InvalidAccessKeyId": "it does not know the access key"
            case "SignatureDoesNotMatch": "the secret key is wrong"
            case "RequestTimeTooSkewed": "this machine's clock and its own differ by too much; set the clock"
            case "ExpiredToken", "TokenRefreshRequired", "InvalidToken": "the session token has expired or is wrong"
            case "AccessDenied": "the key may not do that (AccessDenied)"
            case "NoSuchBucket": "there is no such bucket"
            case "XAmzContentSHA256Mismatch", "BadDigest": "what arrived there had another digest than what was sent"
            case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
                "the bucket is in another region; see --s3-region"
            case "SlowDown", "ServiceUnavailable": "it is overloaded"
            case "": "status \(status)"
            default: "\(EscapedText.words(String(code.prefix(64)))), status \(status)"
            }
        }
    }

    /// The error of a server that cannot begin with its store.
    func opening(_ bucket: Bucket) -> FxferError {
        let code: FxferError.Code
        switch self.reason {
        case .unreachable: code = .cannotConnect
        case .nonsense: code = .io
        case .answered(let status, let name):
            switch (status, name) {
            case (404, _), (_, "NoSuchBucket"): code = .noInput
            case (401, _), (403, _): code = .notPermitted
            default: code = self.isTemporary ? .cannotConnect : .io
            }
        }
        return FxferError(
            code,
            "cannot use \(bucket) at \(bucket.origin): \(self.explanation)",
            cause: self
        )
    }

    /// The error of a transfer that met this. What may pass is `.busy`: the sender tries again and goes on.
    func transfer(_ operation: String, _ path: RelativePath) -> FxferError {
        let code: FxferError.Code = self.isTemporary ? .busy : self.isAboutSpace ? .noSpace : .io
        return FxferError(
            code,
            "cannot \(operation) '\(path)' in the object store: \(self.explanation)",
            cause: self
        )
    }

    private var isAboutSpace: Bool {
        guard case .answered(_, let code) = self.reason else { return false }
        return ["QuotaExceeded", "InsufficientCapacity", "EntityTooLarge", "StorageFull", "XMinioStorageFull"]
            .contains(code)
    }
}

/// Runs requests for `path`, and tells one that fails as a failure of `operation` on it.
func storing<T>(
    _ operation: String,
    _ path: RelativePath,
    _ body: () async throws -> T
) async throws -> T {
    do {
        return try await body()
    } catch let error as S3Error {
        throw error.transfer(operation, path)
    }
}
