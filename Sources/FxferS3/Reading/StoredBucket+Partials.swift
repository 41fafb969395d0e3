import FxferProtocol
import FxferStorage

extension StoredBucket {
    /// What is left of unfinished files, sorted by the bytes of their paths.
    ///
    /// - Throws: `.io`, `.cannotConnect`, `.notPermitted`; `CancellationError`.
    package func partials() async throws -> [PartialSummary] {
        try await self.telling {
            var found: [PartialSummary] = []
            try await self.client.forEachPage(self.store.names.uploads) { page in
                for object in page.objects {
                    guard let answer = try await self.client.record(object.key, limit: UploadRecord.maxBytes),
                        let record = UploadRecord(answer.body), let size = record.size, let age = answer.age,
                        let written = answer.modified
                    else { continue }
                    let isInUse = !record.isFree && .seconds(age) <= self.store.options.takeOverAfter
                    // One of which nothing is there is being begun, or was given up.
                    guard record.length > 0 || isInUse else { continue }
                    found.append(
                        PartialSummary(
                            path: record.target,
                            size: size,
                            verified: record.length,
                            lastWrite: FileTime(seconds: written, nanoseconds: 0),
                            isInUse: isInUse
                        )
                    )
                }
            }
            return found.sorted { $0.path.bytes.lexicographicallyPrecedes($1.path.bytes) }
        }
    }

    private var client: S3Client { self.store.client }
}
