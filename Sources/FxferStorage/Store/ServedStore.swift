/// A store that a server can run on.
package protocol ServedStore: MeasuredStore, SharedFiles {
    /// Removes what is left of unfinished files and was not gone on with for long enough; answers how many files.
    ///
    /// - Throws: what stands in the way; `CancellationError`.
    func expirePartials() async throws -> Int

    /// Makes sure that files can be stored and given just now, as far as that is quickly found out.
    ///
    /// - Throws: what stands in the way; `CancellationError`.
    func checkReachable() async throws

    /// Lets go of what it has open. Nothing is asked of it later.
    func close() async
}

extension DirectoryStore: ServedStore {
    /// Its descriptors are open.
    package func checkReachable() {}

    /// Its descriptors are closed with the last reference.
    package func close() {}
}
