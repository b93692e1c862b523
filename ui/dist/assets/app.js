// Built from ui/.
