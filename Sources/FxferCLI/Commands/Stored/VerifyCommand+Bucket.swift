import Fxfer
import FxferProtocol
import Synchronization

/// The same for a bucket.
extension VerifyCommand {
    func verify(
        _ place: ObjectStoreOptions.Place,
        _ scope: VerificationScope,
        _ reporter: VerificationReporter,
        _ limiter: RateLimiter?
    ) async throws {
        let events = Mutex<UInt64>(0)
        let outcome = try await Interruptible.run {
            let extent = try await place.withBucket { bucket in
                try await bucket.verify(
                    scope.stored,
                    pace: { count in
                        if let pause = limiter?.pause(before: count) { try await Task.sleep(for: pause) }
                    },
                    begin: { extent in
                        events.withLock { _ in reporter.note(.began(files: extent.files, bytes: extent.bytes)) }
                    },
                    progress: { count in
                        events.withLock { read in
                            read += UInt64(count)
                            reporter.note(.progress(bytes: read))
                        }
                    },
                    report: { finding in events.withLock { _ in reporter.note(VerificationEvent(finding)) } }
                )
            }
            return (files: extent.files, bytes: extent.bytes)
        }
        self.end(outcome, reporter)
    }
}
