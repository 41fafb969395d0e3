import FxferProtocol
import NIOCore

@testable import FxferStorage

/// A ``LimitedStore`` before a directory of its own.
struct LimitedDirectory: StoreUnderTest {
    let directory: DirectoryUnderTest
    let store: LimitedStore<DirectoryStore>

    init(_ limits: StorageLimits, _ directory: DirectoryUnderTest? = nil) async throws {
        if let directory { self.directory = directory } else { self.directory = try await DirectoryUnderTest() }
        self.store = try await LimitedStore(self.directory.store, limits)
    }

    func content(at path: RelativePath) throws -> [UInt8]? { try self.directory.content(at: path) }
    func published() throws -> [[UInt8]] { try self.directory.published() }
    func stagedCount() throws -> Int { try self.directory.stagedCount() }
    func put(_ bytes: [UInt8], at path: RelativePath) throws { try self.directory.put(bytes, at: path) }
    func remove(_ path: RelativePath) throws { try self.directory.remove(path) }

    /// Why a file of that size is not taken; nil where it is. It is given up again.
    func refusal(of size: UInt64?, at name: String = "offered") async throws -> FxferError.Code? {
        do {
            let staging = try await self.stage(path(name), FileAttributes(size: size))
            if case .fresh(let file) = staging { await file.discard(keepingPartial: false) }
            return nil
        } catch let error as FxferError {
            return error.code
        }
    }
}
