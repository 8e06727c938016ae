import Consensus
import Manager

// Channels between nodes.
extension NodeSimulation {
    func dial(_ node: Int, _ peer: Int) {
        guard node != peer, channels[node][peer] == 0, dialing[node][peer] <= now, machines[peer].manager != nil,
            blocked[node][peer] == 0, blocked[peer][node] == 0
        else { return }
        let arrival = now + 4 * delay(node, peer)
        dialing[node][peer] = arrival
        let channel = nextChannel
        nextChannel += 1
        events.add(.connected(peer, to: node, life: machines[peer].life, channel: channel), at: arrival)
        events.add(.connected(node, to: peer, life: machines[node].life, channel: channel), at: arrival)
    }

    func connected(_ node: Int, _ peer: Int, _ life: Int, _ channel: UInt64) {
        guard machines[node].life == life, machines[node].manager != nil else { return }
        // Two may dial each other at once: both keep the later channel.
        guard channels[node][peer] < channel else { return }
        var inputs: [ManagerInput] = []
        if channels[node][peer] != 0 { inputs.append(.peerDisconnected(machines[peer].node.id)) }
        channels[node][peer] = channel
        tails[peer][node] = 0
        note("n\(node) has channel \(channel) to n\(peer)", 20, UInt64(node), channel)
        let verified = VerifiedNode(id: machines[peer].node.id, owner: "bank-\(peer)", measurement: "01")
        feed(node, inputs + [.peerConnected(verified)])
    }

    func disconnected(_ node: Int, _ peer: Int, _ channel: UInt64) {
        guard channels[node][peer] == channel, machines[node].manager != nil else { return }
        channels[node][peer] = 0
        note("n\(node) lost channel \(channel) to n\(peer)", 21, UInt64(node), channel)
        feed(node, [.peerDisconnected(machines[peer].node.id)])
    }

    /// Both ends notice, each in its time.
    func breakChannel(_ node: Int, _ peer: Int, within time: UInt64) {
        let channel = channels[node][peer]
        guard channel != 0 else { return }
        events.add(.disconnected(node, from: peer, channel: channel), at: now + 1 + random.below(time))
        events.add(.disconnected(peer, from: node, channel: channel), at: now + 1 + random.below(time))
    }

    private func delay(_ from: Int, _ to: Int) -> UInt64 {
        var delay =
            (delays.isEmpty ? profile.delayMin : delays[from][to])
            + random.below((isHealed ? 0 : profile.delaySpread) + 1)
        if !isHealed, random.below(1000) < profile.stragglerPermille { delay += random.below(2_000_000) }
        return delay
    }

    func transmit(_ bytes: [UInt8], from: Int, to: Int) {
        let channel = channels[from][to]
        guard channel != 0, !broken.contains(channel) else { return }
        fingerprint.take(Fingerprint.of(bytes))
        if blocked[from][to] > 0 {
            if profile.isStream {
                broken.insert(channel)
                breakChannel(from, to, within: 1_500_000)
            }
            return
        }
        var copies = 1
        if !isHealed, !profile.isStream {
            if random.below(1000) < profile.lossPermille { return }
            // Channels never double anything; consensus could bear it, a forwarded write that was refused could not.
            let isConsensus = bytes.count > 1 && bytes[1] == 0
            if random.below(1000) < profile.duplicationPermille, isConsensus { copies = 2 }
        }
        for _ in 0..<copies {
            var at = now + delay(from, to)
            if profile.isStream {
                at = max(at, tails[from][to])
                tails[from][to] = at
            }
            events.add(.deliver(to: to, from: from, channel: channel, bytes), at: at)
        }
    }

    func deliver(_ bytes: [UInt8], to: Int, from: Int, _ channel: UInt64) {
        guard machines[to].manager != nil, channels[to][from] == channel else {
            // The other end is told that nobody is there.
            if channels[from][to] == channel {
                events.add(.disconnected(from, from: to, channel: channel), at: now + profile.delayMin)
            }
            return
        }
        guard !(profile.isStream && broken.contains(channel)) else { return }
        note("n\(to) gets \(bytes.count) bytes of n\(from)", 22, UInt64(to), UInt64(from), Fingerprint.of(bytes))
        feed(to, [.message(bytes, from: machines[from].node.id)])
    }
}
