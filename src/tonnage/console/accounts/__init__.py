"""The pages of storage accounts, which a partner and its distributor share: see routes.py for how to put them up."""
