internal import Constitution

extension GenesisDocument {
    /// A genesis YAML with every setting and what it means, for a founder to fill in.
    public static var sampleYAML: String {
        let plain = Parameters()
        let actions = GovernanceAction.allCases
        var text = """
            # The constitution that a network starts with. `entente genesis` makes the genesis file of it, whose SHA-256 is
            # the network's id. Relative paths are taken from the folder of this file.

            # What people call the network.
            name: three-banks

            # Who governs, one vote each. An actor is known by its own certificates (PEM or DER), by authorities of its
            # organisation, or by both; an id takes a-z, 0-9, -, _ and the dot.
            members:
              - id: bank-a
                certificates: [bank-a.pem]
              - id: bank-b
                certificates: [bank-b.pem]
                organisations: [bank-b-ca.pem]
                # Of the certificates that lead to the organisation only these act for it: subject (CN, O, OU, L, ST, C)
                # and alternative names (dns:, email:, uri:, one * at an end).
                department: {subject: {OU: Settlement}}
                # Departments and roles inside, for finer rights.
                groups:
                  traders: {names: ["email:*@trading.bank-b.example"]}

            # Who transacts only.
            participants:
              - id: supplier-c
                certificates: [supplier-c.pem]

            # The VN list: the files that `entente node init` printed, each signed by its owner.
            nodes: [bank-a-1.json, bank-b-1.json]

            # The code that may run: a manager and a worker, or both combined in one program.
            code:
              - {name: entente-manager, version: 0.1.0, role: manager, measurement: "\(String(repeating: "00", count: 32))"}
              - {name: entente-worker, version: 0.1.0, role: worker, measurement: "\(String(repeating: "11", count: 32))"}

            # The platforms that are welcome. A network is as strong as the weakest of them: `software` keeps no operator
            # out of its own node. A software key vouches for the nodes of its owner alone.
            tee:
              platforms: [software]
              softwareKeys:
                - {owner: bank-a, key: "04..."}
                - {owner: bank-b, key: "04..."}

            # Who must agree to a change: a short rule (unanimous, majority, `M of N`, `2/3 of members`, …) or a section;
            # docs/governance.md has the whole language, `entente constitution policies` ready policies.
            voting:
              standard: majority
              # Policies of single actions:

            """
        for action in actions { text += "  #   \(action.rawValue): \(action.summary)\n" }
        text += """
              actions:
                set_voting_policy: unanimous
                # Each member may add up to three nodes of its own without a vote, with code that a majority endorsed.
                set_node:
                  rule:
                    if: {proposer: owner, owner: member, ownerNodes: {atMost: 3}, codeEndorsed: majority}
                    then: no vote
                    else: majority
                  propose: actors

            # The protocols that the network runs. The first answers at `/`, each at `/ENDPOINT`.
            adapters:
              - kind: ethereum
                endpoint: ethereum
                # or settingsFile: ethereum.json
                settings:
                  genesis:
                    config: {chainId: 1337}
                    alloc: {}
                # Services outside that the adapter may ask, each known by certificates to which its own must lead.
                # outside:
                #   - name: rates
                #     url: https://rates.example:8443/quote
                #     authorities: [rates-ca.pem]
                #     timeoutMilliseconds: 5000
                #     answerBytesMax: 65536

            # Lets entries load foreign state, for the replay of recorded chains. Never in a real network.
            replay: false

            # Numbers that the whole network agrees on, with their defaults.

            """
        var group = ""
        for row in Parameters.table {
            let parts = row.name.split(separator: ".")
            if parts[0] != group {
                group = String(parts[0])
                text += "\(group):\n"
                if group == "consensus" {
                    text += """
                          # raft: nodes may crash, not lie
                          engine: raft
                          # nodes that must have an entry on disk before it is committed, and nodes that must vote for a
                          # leader: auto or a number
                          replicationQuorum: auto
                          electionQuorum: auto
                          # when a majority restarts together: sealed (it goes on by itself) or members (they decide)
                          restart: sealed

                        """
                }
            }
            text += "  # \(row.summary); \(row.range.lowerBound) to \(row.range.upperBound)\n"
            text += "  \(parts[1]): \(plain[keyPath: row.path])\n"
        }
        return text
    }
}
