import FxferProtocol
import FxferStorage

extension ObjectStore: MeasuredStore {
    /// The sizes of all objects beneath the prefix.
    package func measure() async throws -> UInt64 {
        do {
            var bytes: UInt64 = 0
            try await self.client.forEachPage(self.names.prefix) { page in
                for object in page.objects {
                    let (sum, overflow) = bytes.addingReportingOverflow(object.size)
                    bytes = overflow ? .max : sum
                }
            }
            return bytes
        } catch let error as S3Error {
            throw error.opening(self.client.bucket)
        }
    }

    /// Folders are not made: they are where files are.
    package func newFolders(for path: RelativePath, isFolder: Bool) async throws -> Int { isFolder ? 1 : 0 }

    /// A bucket does not say.
    package func availableBytes() async throws -> UInt64? { nil }
}
