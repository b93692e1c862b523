"""What the proofs share: running recflow, the contract written plainly, other engines, figures."""
