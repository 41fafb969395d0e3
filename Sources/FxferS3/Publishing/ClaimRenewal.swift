/// Renews a claim for as long as its upload is being completed, which may take long for many parts.
actor ClaimRenewal {
    private let client: S3Client
    private let key: [UInt8]
    private let claim: Claim
    private var tag: String
    private var task: Task<Void, Never>?

    init(_ client: S3Client, _ key: [UInt8], _ claim: Claim, _ tag: String, every interval: Duration) {
        self.client = client
        self.key = key
        self.claim = claim
        self.tag = tag
        Task { await self.begin(interval) }
    }

    private func begin(_ interval: Duration) {
        guard self.task == nil else { return }
        self.task = Task {
            while (try? await Task.sleep(for: interval)) != nil {
                guard let tag = try? await self.client.put(self.key, self.claim.encoded, .matches(self.tag)) else {
                    return
                }
                self.tag = tag
            }
        }
    }

    /// Answers the claim's entity tag.
    func end() async -> String {
        let task = self.task
        self.task = Task {}
        task?.cancel()
        await task?.value
        return self.tag
    }
}
